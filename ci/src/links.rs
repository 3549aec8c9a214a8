//! Whether every link from one of our pages to a file of ours leads somewhere.

use std::fs;
use std::path::{Path, PathBuf};

use crate::workspace;

/// Every relative link in a Markdown file that leads nowhere, as a sentence.
pub(crate) fn broken() -> Result<Vec<String>, String> {
    let mut pages = Vec::new();
    collect(workspace::root(), &mut pages).map_err(|error| format!("looking for pages: {error}"))?;
    let mut broken = Vec::new();
    for page in pages {
        let text = fs::read_to_string(&page).map_err(|error| format!("{}: {error}", page.display()))?;
        let folder = page.parent().unwrap_or(workspace::root());
        for target in targets(&text).filter(|target| !folder.join(target).exists()) {
            let page = page.strip_prefix(workspace::root()).unwrap_or(&page);
            broken.push(format!("{} links to {target}, which does not exist", page.display()));
        }
    }
    Ok(broken)
}

/// Every Markdown file below `folder`, except in what builds leave behind.
fn collect(folder: &Path, pages: &mut Vec<PathBuf>) -> std::io::Result<()> {
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        let name = entry.file_name();
        let hidden = name.as_encoded_bytes().starts_with(b".");
        if entry.file_type()?.is_dir() {
            if !hidden && name != "target" && name != "corpus" && name != "artifacts" {
                collect(&entry.path(), pages)?;
            }
        } else if entry.path().extension().is_some_and(|extension| extension == "md") {
            pages.push(entry.path());
        }
    }
    Ok(())
}

/// The relative targets of the links in `text`, without their anchors. Blocks of code have no links.
fn targets(text: &str) -> impl Iterator<Item = &str> {
    let mut code = false;
    let prose = text.lines().filter(move |line| {
        let fence = line.trim_start().starts_with("```");
        code ^= fence;
        !code && !fence
    });
    prose
        .flat_map(|line| line.split("](").skip(1))
        .filter_map(|rest| rest.split(')').next())
        .map(|target| target.split('#').next().unwrap_or(target))
        .filter(|target| !target.is_empty() && !target.contains("::") && !target.contains(':') && !target.contains(' '))
        .filter(|target| target.contains('/') || target.contains('.'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn links_to_files_are_found_and_others_are_not() {
        let text = "[a](b/c.rs) and [d](https://example.org/) [e](#f), [g](h.md#i)\n```\n[j](k.rs)\n```\n[l](crate::M)";
        assert_eq!(targets(text).collect::<Vec<_>>(), ["b/c.rs", "h.md"]);
    }

    #[test]
    fn no_page_links_to_nothing() {
        assert_eq!(broken(), Ok(Vec::new()));
    }
}
