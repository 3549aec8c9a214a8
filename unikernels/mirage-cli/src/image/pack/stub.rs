//! What unpacks an image where it runs: 32 bits, before all else, as a PVH loader enters it.

/// Where things are, as the stub sees them.
#[derive(Clone, Copy, Debug)]
pub(super) struct Places {
    /// A stack of 16 bytes ends here.
    pub(super) stack: u32,
    /// The stream.
    pub(super) packed: u32,
    /// What comes out.
    pub(super) start: u32,
    pub(super) end: u32,
    /// Code in it, whose calls are written for packing: see [`calls`](super::calls).
    pub(super) code_end: u32,
    /// Where the image begins. It finds `ebx` as the loader left it.
    pub(super) entry: u32,
}

/// Bytes of the stub.
pub(super) const LEN: usize = 158;

/// The stub for these places.
pub(super) fn stub(places: &Places) -> Vec<u8> {
    let Places { stack, packed, start, end, code_end, entry } = *places;
    let number = |number: u32| number.to_le_bytes();
    [
        // cli; cld; mov esp, STACK; mov esi, PACKED; mov edi, START; mov dl, 0x80
        &[0xfa, 0xfc, 0xbc][..],
        &number(stack),
        &[0xbe],
        &number(packed),
        &[0xbf],
        &number(start),
        &[0xb2, 0x80],
        // copied: call bit; jc copy; call length; rep movsb; cmp edi, END; jae done
        &[0xe8, 0x7c, 0, 0, 0, 0x72, 0x1d, 0xe8, 0x61, 0, 0, 0, 0xf3, 0xa4, 0x81, 0xff],
        &number(end),
        &[0x73, 0x33],
        // call bit; jc copy; call length; jmp again
        &[0xe8, 0x66, 0, 0, 0, 0x72, 0x07, 0xe8, 0x4b, 0, 0, 0, 0xeb, 0x16],
        // copy: call length; dec ecx; shl ecx, 8; mov cl, [esi]; inc esi; not ecx; mov ebp, ecx; call length; inc ecx
        &[
            0xe8, 0x44, 0, 0, 0, 0x49, 0xc1, 0xe1, 0x08, 0x8a, 0x0e, 0x46, 0xf7, 0xd1, 0x89, 0xcd, 0xe8, 0x34, 0, 0, 0,
            0x41,
        ],
        // again: push esi; lea esi, [edi + ebp]; rep movsb; pop esi; cmp edi, END; jb copied
        &[0x56, 0x8d, 0x34, 0x2f, 0xf3, 0xa4, 0x5e, 0x81, 0xff],
        &number(end),
        &[0x72, 0xb7],
        // done: mov edi, START
        &[0xbf],
        &number(start),
        // next: cmp edi, CODE_END; jae go; inc edi; cmp byte [edi - 1], 0xe8; jne next
        &[0x81, 0xff],
        &number(code_end),
        &[0x73, 0x10, 0x47, 0x80, 0x7f, 0xff, 0xe8, 0x75, 0xf1],
        // mov eax, [edi]; bswap eax; sub eax, edi; stosd; jmp next
        &[0x8b, 0x07, 0x0f, 0xc8, 0x29, 0xf8, 0xab, 0xeb, 0xe8],
        // go: mov eax, ENTRY; jmp eax
        &[0xb8],
        &number(entry),
        &[0xff, 0xe0],
        // length: xor ecx, ecx; inc ecx; more: call bit; jc end; call bit; adc ecx, ecx; jmp more; end: ret
        &[0x31, 0xc9, 0x41, 0xe8, 0x0c, 0, 0, 0, 0x72, 0x09, 0xe8, 0x05, 0, 0, 0, 0x11, 0xc9, 0xeb, 0xf0, 0xc3],
        // bit, into the carry: add dl, dl; jnz end; mov dl, [esi]; inc esi; adc dl, dl; end: ret
        &[0x00, 0xd2, 0x75, 0x05, 0x8a, 0x16, 0x46, 0x10, 0xd2, 0xc3],
    ]
    .concat()
}
