//! What is done with control groups, in words.

use super::block_device::number;
use super::control_file::PROCESSES;
use super::devices::DeviceGroup;
use super::group::Cgroup;
use super::limits::{KeptIn, Limits};
use super::settings::{Origin, Setting, Value, Version};
use minirun_netns::{Explain, Explanation};

impl Explain for Cgroup {
    fn explain(&self) -> Explanation {
        Explanation {
            sentence: "make the control group that all processes of the container are in".into(),
            command: format!("mkdir -p {}", self.path().display()),
        }
    }
}

impl Explain for Limits {
    fn explain(&self) -> Explanation {
        let lines = self.kept().iter().flat_map(lines);
        Explanation {
            sentence: "limit what the container may use".into(),
            command: lines.collect::<Vec<_>>().join("\n"),
        }
    }
}

impl Explain for DeviceGroup {
    fn explain(&self) -> Explanation {
        let sentence = match self {
            DeviceGroup::Filtered => {
                "let the kernel ask a program on this group which devices the container may use"
            }
            DeviceGroup::Legacy(_) => {
                "let the control group `devices` say which devices the container may use"
            }
            DeviceGroup::Unguarded(_) => {
                "let mounts refuse devices, because no control group of this host does"
            }
        };
        Explanation {
            sentence: sentence.into(),
            command: String::new(),
        }
    }
}

fn lines(kept: &KeptIn) -> Vec<String> {
    let group = kept.path.display();
    let is_own = kept.version == Version::One;
    let made = is_own.then(|| format!("mkdir -p {group}"));
    let asked = kept
        .settings
        .iter()
        .filter(|one| one.origin == Origin::Asked);
    let written = asked.map(|one| format!("echo {} > {group}/{}", value(kept, one), one.file));
    let entered = is_own.then(|| format!("echo PID > {group}/{PROCESSES}"));
    made.into_iter().chain(written).chain(entered).collect()
}

fn value(kept: &KeptIn, setting: &Setting) -> String {
    match &setting.value {
        Value::Text(text) if text.contains(' ') => format!("'{text}'"),
        Value::Text(text) => text.clone(),
        Value::OfParent => {
            let above = kept.path.parent().unwrap_or(&kept.path);
            format!("$(cat {}/{})", above.display(), setting.file)
        }
        Value::OfDevice(device, rest) => match number(device) {
            Ok(number) => format!("'{number} {rest}'"),
            Err(_) => format!("'{device} {rest}'"),
        },
    }
}
