//! `--type` of `inspect`: what a name may stand for.

use super::network::inspect::find as find_network;
use crate::failure::Failure;
use crate::show;
use clap::ValueEnum;
use minirun_bridge::error::NetworkError;
use minirun_runtime::error::RuntimeError;
use minirun_runtime::image::ImageError;
use minirun_runtime::runtime::Runtime;
use minirun_runtime::volumes::VolumeError;
use serde_json::Value;

/// What a name may stand for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum InspectKind {
    /// A container.
    Container,
    /// An image.
    Image,
    /// A network.
    Network,
    /// A volume.
    Volume,
}

/// Whether containers are measured, which takes time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Measured {
    /// They are.
    Yes,
    /// They are not.
    No,
}

impl From<bool> for Measured {
    fn from(is_wanted: bool) -> Measured {
        match is_wanted {
            true => Measured::Yes,
            false => Measured::No,
        }
    }
}

/// In the order in which a name is looked for.
const ALL: [InspectKind; 4] = [
    InspectKind::Container,
    InspectKind::Image,
    InspectKind::Network,
    InspectKind::Volume,
];

impl InspectKind {
    /// Everything about what a name stands for. Without a kind, a container comes first, then an image, a network and a volume.
    pub fn find(
        (runtime, kind): (&Runtime, Option<InspectKind>),
        name: &str,
        measured: Measured,
    ) -> Result<Value, Failure> {
        let kinds = match &kind {
            Some(kind) => std::slice::from_ref(kind),
            None => ALL.as_slice(),
        };
        for kind in kinds {
            if let Some(found) = kind.find_one(runtime, name, measured)? {
                return Ok(found);
            }
        }
        Err(Failure::new(match kind {
            Some(kind) => format!("no {} is called `{name}`", kind.word()),
            None => format!("no container, image, network or volume is called `{name}`"),
        }))
    }

    fn word(self) -> &'static str {
        match self {
            InspectKind::Container => "container",
            InspectKind::Image => "image",
            InspectKind::Network => "network",
            InspectKind::Volume => "volume",
        }
    }

    fn find_one(
        self,
        runtime: &Runtime,
        name: &str,
        measured: Measured,
    ) -> Result<Option<Value>, Failure> {
        match self {
            InspectKind::Container => container(runtime, name, measured),
            InspectKind::Image => match runtime.images.resolve(name) {
                Ok(image) => Ok(Some(show::inspect::image(&image))),
                Err(ImageError::Unknown { .. } | ImageError::Reference { .. }) => Ok(None),
                Err(error) => Err(error.into()),
            },
            InspectKind::Network => match find_network(runtime, name) {
                Err(RuntimeError::Network(NetworkError::UnknownNetwork(_))) => Ok(None),
                found => Ok(Some(found?)),
            },
            InspectKind::Volume => match runtime.resolve_volume(name) {
                Ok(volume) => {
                    let data = runtime.volumes().data(&volume.name);
                    Ok(Some(show::volume::inspect(&volume, &data)))
                }
                Err(RuntimeError::Volume(VolumeError::Unknown(_))) => Ok(None),
                Err(error) => Err(error.into()),
            },
        }
    }
}

fn container(runtime: &Runtime, name: &str, measured: Measured) -> Result<Option<Value>, Failure> {
    let config = match runtime.resolve(name) {
        Err(RuntimeError::UnknownContainer(_)) => return Ok(None),
        config => config?,
    };
    let details = runtime.details(config)?;
    let mut document = show::inspect::container(&details);
    if measured == Measured::Yes {
        let size = runtime.container_size(&details.config.id, &details.config.image_id)?;
        document["SizeRw"] = size.writable_bytes.into();
        document["SizeRootFs"] = size.root_bytes.into();
    }
    Ok(Some(document))
}
