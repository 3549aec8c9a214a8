//! Boot arguments as the one line that images get.

/// `arguments` with blanks between; what an image would take for the end of an argument is escaped with a backslash.
pub(crate) fn boot_line<S: AsRef<str>>(arguments: &[S]) -> String {
    arguments.iter().map(|argument| escaped(argument.as_ref())).collect::<Vec<_>>().join(" ")
}

/// One argument of the line.
pub(crate) fn escaped(argument: &str) -> String {
    argument.chars().fold(String::new(), |mut line, char| {
        if matches!(char, ' ' | '\\' | '"') {
            line.push('\\');
        }
        line.push(char);
        line
    })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn images_get_the_arguments_that_were_given(arguments in prop::collection::vec("[^\0\t\n]+", 0..5)) {
            let split = mirage_platform::arguments::split(&boot_line(&arguments)).expect("a right line");
            prop_assert_eq!(split, arguments);
        }
    }
}
