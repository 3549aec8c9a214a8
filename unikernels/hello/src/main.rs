#![doc = include_str!("../README.md")]
#![cfg_attr(not(feature = "unix"), no_std, no_main)]
#![forbid(unsafe_code)]

use mirage_platform::{About, App, Argument, Arguments, BadArgument, Context, Exit, Local};

const HELLO: Argument = Argument::value("hello", "TEXT", "the greeting").or("Hello World!");

struct Hello {
    greeting: &'static str,
}

impl App for Hello {
    const ABOUT: About =
        About { name: "hello", version: env!("CARGO_PKG_VERSION"), summary: "prints a greeting and ends" };
    const ARGUMENTS: &'static [Argument] = &[HELLO];

    fn new(arguments: &Arguments) -> Result<Self, BadArgument> {
        Ok(Self { greeting: arguments.text(&HELLO).unwrap_or_default() })
    }
}

impl Local for Hello {
    async fn run(self, context: Context) -> Exit {
        context.print(self.greeting);
        Exit::SUCCESS
    }
}

mirage_platform::main!(Hello: Local);
