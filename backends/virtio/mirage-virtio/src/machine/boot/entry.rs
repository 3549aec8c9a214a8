//! The first instructions.

use core::arch::naked_asm;

use super::super::cpu::segments;
use super::super::memory;
use super::start::{Protocol, start};

/// Where a loader that knows PVH (QEMU, Firecracker, Cloud Hypervisor, Xen) enters: 32 bits, no paging, `ebx` points to the
/// start information. `eax` says nothing: QEMU leaves there what multiboot would have.
#[unsafe(naked)]
#[unsafe(no_mangle)]
unsafe extern "C" fn mirage_virtio_pvh() -> ! {
    naked_asm!(
        ".code32",
        "mov ebp, {protocol}",
        "jmp {common}",
        ".code64",
        protocol = const Protocol::Pvh as u32,
        common = sym common,
    )
}

/// Where a multiboot loader enters: 32 bits, no paging, `ebx` points to the multiboot information.
#[unsafe(naked)]
#[unsafe(no_mangle)]
unsafe extern "C" fn mirage_virtio_multiboot() -> ! {
    naked_asm!(
        ".code32",
        "mov ebp, {protocol}",
        "jmp {common}",
        ".code64",
        protocol = const Protocol::Multiboot as u32,
        common = sym common,
    )
}

/// Clears the memory that must be, maps the first 4 GiB where they are, and goes on in 64 bits.
#[unsafe(naked)]
unsafe extern "C" fn common() -> ! {
    naked_asm!(
        ".code32",
        "cli",
        "cld",
        // The linker script makes these multiples of 4.
        "mov edi, offset {bss_start}",
        "mov ecx, offset {bss_end}",
        "sub ecx, edi",
        "shr ecx, 2",
        "xor eax, eax",
        "rep stosd",
        // One table of the top level, one of the second with 4 entries, 4 of the third whose 2048 entries map 2 MiB each.
        "mov edi, offset {tables}",
        "lea eax, [edi + 0x1003]",
        "mov [edi], eax",
        "add edi, 0x1000",
        "mov ecx, 4",
        "2:",
        "add eax, 0x1000",
        "mov [edi], eax",
        "add edi, 8",
        "dec ecx",
        "jnz 2b",
        "mov edi, offset {tables} + 0x2000",
        "mov eax, 0x83",
        "mov ecx, 2048",
        "3:",
        "mov [edi], eax",
        "add edi, 8",
        "add eax, 0x200000",
        "dec ecx",
        "jnz 3b",
        // CR4: PAE, OSFXSR, OSXMMEXCPT.
        "mov eax, 0x620",
        "mov cr4, eax",
        "mov eax, offset {tables}",
        "mov cr3, eax",
        // EFER: LME.
        "mov ecx, 0xc0000080",
        "rdmsr",
        "or eax, 0x100",
        "wrmsr",
        // CR0: PG, WP, NE, MP, PE; caches on, no emulation of the FPU.
        "mov eax, 0x80010023",
        "mov cr0, eax",
        "lgdt [{segments}]",
        "mov esp, offset {stack}",
        "push {code}",
        "mov eax, offset {long_mode}",
        "push eax",
        "retf",
        ".code64",
        tables = sym memory::TABLES,
        segments = sym segments::POINTER,
        code = const segments::CODE,
        long_mode = sym long_mode,
        bss_start = sym __bss_start,
        bss_end = sym __bss_end,
        stack = sym __stack_top,
    )
}

/// The first in 64 bits. Hands on the address from `ebx` and the protocol from `ebp`.
#[unsafe(naked)]
unsafe extern "C" fn long_mode() -> ! {
    naked_asm!(
        "mov eax, {data}",
        "mov ds, eax",
        "mov es, eax",
        "mov ss, eax",
        "xor eax, eax",
        "mov fs, eax",
        "mov gs, eax",
        "mov esp, offset {stack}",
        "mov edi, ebx",
        "mov esi, ebp",
        "xor ebp, ebp",
        "call {start}",
        "ud2",
        data = const segments::DATA,
        stack = sym __stack_top,
        start = sym start,
    )
}

unsafe extern "C" {
    static __bss_start: u8;
    static __bss_end: u8;
    static __stack_top: u8;
}
