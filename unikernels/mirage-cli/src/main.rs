#![doc = include_str!("../README.md")]
#![forbid(unsafe_code)]
#![allow(
    clippy::std_instead_of_core,
    clippy::std_instead_of_alloc,
    reason = "a program for people's machines: std is all it knows"
)]

mod arguments;
mod boot_line;
mod cargo;
mod commands;
mod devices;
mod failure;
mod image;
mod libvirt;
mod output;
mod plan;
mod project;
mod qemu;
mod settings;
mod solo5;
mod spt;
mod table;
mod target;
mod tools;

use std::process::ExitCode;

use clap::Parser;

use arguments::{Arguments, Command};
use failure::{Failure, Result};

fn main() -> ExitCode {
    if let Some(code) = spt::gateway() {
        return code;
    }
    match parse().and_then(run) {
        Ok(code) => code,
        Err(failure) => {
            output::note(&failure);
            ExitCode::from(failure.code())
        }
    }
}

fn run(arguments: Arguments) -> Result<ExitCode> {
    match arguments.command {
        Command::New(arguments) => commands::new::run(&arguments)?,
        Command::Configure(arguments) => commands::configure::run(arguments)?,
        Command::Build(arguments) => commands::build::run(&arguments)?,
        Command::Run(arguments) => return commands::run::run(arguments),
        Command::Describe(arguments) => commands::describe::run(&arguments)?,
        Command::Clean(arguments) => commands::clean::run(&arguments)?,
        Command::Symbolize(arguments) => commands::symbolize::run(&arguments)?,
    }
    Ok(ExitCode::SUCCESS)
}

/// Reads the command line. Help is given here; what makes no sense is told in one line, like every failure.
fn parse() -> Result<Arguments> {
    Arguments::try_parse().map_err(|error| {
        if !error.use_stderr() {
            error.exit();
        }
        let said = error.render().to_string();
        let said = said.strip_prefix("error: ").unwrap_or(&said);
        // What follows the first empty line repeats the usage.
        let said = said.split("\n\n").next().unwrap_or(said);
        Failure::usage(format!("{} (`mirage --help` and `mirage help COMMAND` tell more)", said.trim_end()))
    })
}
