//! The root file system: layers of an image under a directory that takes the container's writes.

use std::ffi::CString;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

use super::error::ProcessError;
use super::text::c_string;

/// Where the parts of a container's root file system are on the host. All paths are absolute.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OverlayRoot {
    /// Unpacked layers, the top one first; at least one.
    pub layers: Vec<PathBuf>,
    /// Takes what the container writes.
    pub upper: PathBuf,
    /// Scratch space of the kernel, empty, on the same file system as `upper`.
    pub work: PathBuf,
    /// An existing directory: where the whole is mounted, in the container's mount namespace only.
    pub merged: PathBuf,
}

/// The mount call that this comes down to.
#[derive(Debug, PartialEq, Eq)]
pub struct OverlayMount {
    /// The directory that the names in the options are relative to; `None` if they are absolute.
    pub(super) directory: Option<CString>,
    pub(super) options: CString,
    pub(super) target: CString,
    /// `MS_…` flags.
    pub(super) flags: libc::c_ulong,
}

/// The directory that takes the writes must say all by itself what was written, whatever the host's kernel does by
/// default: other programs of ours read it without a mount, and make a layer of an image of it.
const PLAIN: &[u8] = b",redirect_dir=off,metacopy=off,index=off";

/// mount(2) takes one page of options and the name of the file system's type is not part of it; a little is left for
/// the kernel.
const LIMIT: usize = 4000;

impl OverlayRoot {
    /// The mount, with these flags. Chooses absolute names, or shorter relative ones if those would not fit.
    pub(super) fn mount(&self, flags: libc::c_ulong) -> Result<OverlayMount, ProcessError> {
        if self.layers.is_empty() {
            return Err(ProcessError::NoLayers);
        }
        let absolute = self.options(Path::new(""));
        let (directory, options) = if absolute.len() <= LIMIT {
            (None, absolute)
        } else {
            let directory = self.common_directory();
            let relative = self.options(&directory);
            (Some(directory), relative)
        };
        if options.len() > LIMIT {
            return Err(ProcessError::TooManyLayers {
                layers: self.layers.len(),
                length: options.len(),
                limit: LIMIT,
            });
        }
        Ok(OverlayMount {
            directory: directory
                .map(|directory| c_string("path", directory.as_os_str().as_bytes()))
                .transpose()?,
            options: c_string("path", options)?,
            target: c_string("path", self.merged.as_os_str().as_bytes())?,
            flags,
        })
    }

    fn options(&self, directory: &Path) -> Vec<u8> {
        let mut options = b"lowerdir=".to_vec();
        for (index, layer) in self.layers.iter().enumerate() {
            if index > 0 {
                options.push(b':');
            }
            append_escaped(&mut options, layer, directory);
        }
        options.extend(b",upperdir=");
        append_escaped(&mut options, &self.upper, directory);
        options.extend(b",workdir=");
        append_escaped(&mut options, &self.work, directory);
        options.extend(PLAIN);
        options
    }

    fn common_directory(&self) -> PathBuf {
        let mut common = self.upper.clone();
        for path in self.layers.iter().chain([&self.work]) {
            while !path.starts_with(&common) {
                common.pop();
            }
        }
        common
    }
}

/// The kernel splits options at commas and layers at colons, and takes a backslash for the end of neither.
fn append_escaped(options: &mut Vec<u8>, path: &Path, directory: &Path) {
    let path = path.strip_prefix(directory).unwrap_or(path);
    let path = if path.as_os_str().is_empty() {
        Path::new(".")
    } else {
        path
    };
    for byte in path.as_os_str().as_bytes() {
        if b",:\\".contains(byte) {
            options.push(b'\\');
        }
        options.push(*byte);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn root(layers: usize) -> OverlayRoot {
        OverlayRoot {
            layers: (0..layers)
                .map(|index| PathBuf::from(format!("/var/lib/minirun/images/layers/{index:032}")))
                .collect(),
            upper: "/var/lib/minirun/containers/a/upper".into(),
            work: "/var/lib/minirun/containers/a/work".into(),
            merged: "/var/lib/minirun/containers/a/merged".into(),
        }
    }

    #[test]
    fn few_layers_are_named_absolutely_top_first() {
        let mount = root(2).mount(0).expect("it fits");
        assert_eq!(mount.directory, None);
        assert_eq!(
            mount.options.to_string_lossy(),
            "lowerdir=/var/lib/minirun/images/layers/00000000000000000000000000000000:\
             /var/lib/minirun/images/layers/00000000000000000000000000000001,\
             upperdir=/var/lib/minirun/containers/a/upper,workdir=/var/lib/minirun/containers/a/work,\
             redirect_dir=off,metacopy=off,index=off"
        );
    }

    #[test]
    fn many_layers_are_named_relative_to_what_all_parts_share() {
        let mount = root(75).mount(0).expect("it fits");
        assert_eq!(mount.directory.as_deref(), Some(c"/var/lib/minirun"));
        assert!(mount.options.as_bytes().len() <= LIMIT);
        assert!(
            mount
                .options
                .as_bytes()
                .starts_with(b"lowerdir=images/layers/0")
        );
    }

    #[test]
    fn too_many_layers_and_none_at_all_are_refused() {
        assert!(matches!(
            root(500).mount(0),
            Err(ProcessError::TooManyLayers { layers: 500, .. })
        ));
        assert!(matches!(root(0).mount(0), Err(ProcessError::NoLayers)));
    }

    #[test]
    fn characters_that_the_kernel_splits_at_are_escaped() {
        let mut options = Vec::new();
        append_escaped(&mut options, Path::new(r"/a,b:c\d"), Path::new(""));
        assert_eq!(options, br"/a\,b\:c\\d");
    }
}
