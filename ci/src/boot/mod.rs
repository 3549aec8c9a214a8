//! Tests of images that boot: in the tender that the tool has built in, and in QEMU. They need no privileges.

mod disk;
mod guest;
mod hello;
mod web;

use std::path::PathBuf;
use std::process::Command;

use crate::command::{cargo, run};
use crate::{tools, workspace};

/// What a test does.
type Body = fn(&Images) -> Result<(), String>;

/// A test: its name, whether it needs QEMU, and what it does.
pub(crate) struct Test {
    pub(crate) name: &'static str,
    pub(crate) needs_qemu: bool,
    body: Body,
}

/// The tool and the images that it built, in a folder that everybody may read.
pub(crate) struct Images {
    tool: PathBuf,
    folder: PathBuf,
}

/// Every test whose name contains `filter`.
pub(crate) fn all(filter: &str) -> Vec<Test> {
    let tests: [(&'static str, bool, Body); 13] = [
        ("hello_greets_in_a_sandboxed_process", false, hello::greets),
        ("hello_ends_with_the_code_that_it_ends_with_on_unix", false, hello::codes),
        ("hello_greets_in_virtual_machines", true, hello::greets_in_machines),
        ("a_sandboxed_process_serves_the_page_and_the_right_bytes", false, web::spt),
        ("a_sandboxed_process_serves_in_8_mib", false, web::spt_in_8_mib),
        ("echo_serves_in_2_mib", false, web::echo_in_2_mib),
        ("a_microvm_serves_the_page_and_the_right_bytes", true, web::microvm),
        ("a_q35_serves_the_page_and_the_right_bytes", true, web::q35),
        ("a_pc_serves_the_page_and_the_right_bytes", true, web::pc),
        ("a_virtual_machine_starts_fifty_times", true, web::fifty_starts),
        ("a_sandboxed_process_finds_on_its_disk_what_it_wrote_before", false, disk::spt),
        ("a_microvm_finds_on_its_disk_what_it_wrote_before", true, disk::microvm),
        ("a_q35_finds_on_its_disk_what_it_wrote_before", true, disk::q35),
    ];
    let tests = tests.into_iter().filter(|(name, ..)| name.contains(filter));
    tests.map(|(name, needs_qemu, body)| Test { name, needs_qemu, body }).collect()
}

impl Test {
    /// Runs it.
    pub(crate) fn run(&self, images: &Images) -> Result<(), String> {
        (self.body)(images)
    }
}

impl Images {
    /// Builds the tool and what it shall run.
    pub(crate) fn build() -> Result<Self, String> {
        run(&mut cargo(["build", "--quiet", "--profile", "tool", "--package", "mirage-cli"]))?;
        let tool = workspace::target().join("tool/mirage");
        for (package, target) in [
            ("hello", "spt"),
            ("hello", "virtio"),
            ("web", "spt"),
            ("web", "virtio"),
            ("echo", "spt"),
            ("disk", "spt"),
            ("disk", "virtio"),
        ] {
            run(Command::new(&tool).args(["build", "-p", package, "-t", target]).current_dir(workspace::root()))?;
        }
        // Where an ordinary user gets at them, however the checkout's folders are protected.
        let folder = std::env::temp_dir().join(format!("mirage-boot-{}", std::process::id()));
        let images = Self { tool: folder.join("mirage"), folder };
        images.fill(&tool).map_err(|error| format!("{}: {error}", images.folder.display()))?;
        Ok(images)
    }

    fn fill(&self, tool: &std::path::Path) -> std::io::Result<()> {
        use std::os::unix::fs::PermissionsExt;

        std::fs::create_dir(&self.folder)?;
        std::fs::set_permissions(&self.folder, std::fs::Permissions::from_mode(0o755))?;
        std::fs::copy(tool, &self.tool)?;
        for file in std::fs::read_dir(workspace::root().join("dist"))? {
            let file = file?;
            if file.file_type()?.is_file() {
                std::fs::copy(file.path(), self.folder.join(file.file_name()))?;
            }
        }
        // For disks: whoever runs an image makes them here.
        std::fs::create_dir(self.folder.join("disks"))?;
        std::fs::set_permissions(self.folder.join("disks"), std::fs::Permissions::from_mode(0o777))
    }

    /// `mirage run` of an image, as an ordinary user also when this is root.
    fn command(&self, image: &str) -> Command {
        let mut command = if tools::is_root() {
            let mut command = Command::new("setpriv");
            command.args(["--reuid=65534", "--regid=65534", "--clear-groups", "--bounding-set=-all", "--no-new-privs"]);
            command.arg(&self.tool);
            command
        } else {
            Command::new(&self.tool)
        };
        command.current_dir(&self.folder).args(["run", "--image"]).arg(self.folder.join(image));
        command
    }
}

impl Drop for Images {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.folder);
    }
}
