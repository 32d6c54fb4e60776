//! Paths without detours, told from the text alone.

/// An absolute path without `.`, `..` and empty components, as Docker cleans paths: without asking what a symbolic link on the way
/// says.
pub(super) fn clean(path: &str) -> String {
    let mut components: Vec<&str> = Vec::new();
    for component in path.split('/') {
        match component {
            "" | "." => {}
            ".." => {
                components.pop();
            }
            name => components.push(name),
        }
    }
    format!("/{}", components.join("/"))
}

/// The path behind `base`, unless it is absolute itself.
pub(super) fn absolute(base: &str, path: &str) -> String {
    match path.starts_with('/') {
        true => clean(path),
        false => clean(&format!("{base}/{path}")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn detours_disappear_and_nothing_climbs_above_the_root() {
        assert_eq!(clean("/a//b/./c/"), "/a/b/c");
        assert_eq!(clean("/a/../../b"), "/b");
        assert_eq!(clean("/.."), "/");
        assert_eq!(absolute("/home/me", "./x/../y"), "/home/me/y");
        assert_eq!(absolute("/home/me", "/x"), "/x");
    }
}
