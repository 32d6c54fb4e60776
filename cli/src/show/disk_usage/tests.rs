//! Two images, two containers and a volume.

use super::super::fixture::{NOW, image, moment, running, stopped, summarized, volumes};
use super::*;
use minirun_runtime::disk_usage::{ContainerSize, ImageUsage, VolumeUsage};
use minirun_runtime::volumes::Volume;

fn usage() -> DiskUsage {
    let image_usage = |names: &[&str], shared_bytes, unique_bytes, containers| ImageUsage {
        image: image(names),
        shared_bytes,
        unique_bytes,
        containers,
    };
    let container = |details, writable_bytes| ContainerUsage {
        summary: summarized(details),
        size: ContainerSize {
            writable_bytes,
            root_bytes: writable_bytes + 300,
        },
        volumes: 0,
    };
    DiskUsage {
        images: vec![
            image_usage(&["demo"], 100, 200, 2),
            image_usage(&[], 100, 700, 0),
        ],
        layer_bytes: 1000,
        unused_layer_bytes: 700,
        containers: vec![
            container(stopped("web1"), 1_500),
            container(running("web2"), 500),
        ],
        volumes: vec![VolumeUsage {
            volume: Volume {
                name: "data".parse().unwrap(),
                ..volumes()[0].volume.clone()
            },
            path: "/root/volumes/data/_data".into(),
            bytes: 36,
            links: 0,
        }],
    }
}

#[test]
fn each_kind_of_thing_has_a_row() {
    assert_eq!(
        summary(&usage(), &ListFormat::Table).unwrap(),
        "\
TYPE            TOTAL     ACTIVE    SIZE      RECLAIMABLE
Images          2         1         1kB       700B (70%)
Containers      2         1         2kB       1.5kB (75%)
Local Volumes   1         0         36B       36B (100%)
"
    );
}

#[test]
fn nothing_has_no_share() {
    let nothing = DiskUsage {
        images: Vec::new(),
        layer_bytes: 0,
        unused_layer_bytes: 0,
        containers: Vec::new(),
        volumes: Vec::new(),
    };
    let template = ListFormat::Template("{{.Type}} {{.Reclaimable}}".parse().unwrap());
    assert_eq!(
        summary(&nothing, &template).unwrap(),
        "Images 0B\nContainers 0B\nLocal Volumes 0B\n"
    );
}

#[test]
fn each_thing_has_a_row() {
    assert_eq!(
        each(&usage(), &ListFormat::Table, moment(NOW)).unwrap(),
        "\
Images space usage:

REPOSITORY   TAG       IMAGE ID       CREATED       SIZE      SHARED SIZE   UNIQUE SIZE   CONTAINERS
demo         latest    aaaaaaaaaaaa   2 hours ago   300B      100B          200B          2
<none>       <none>    aaaaaaaaaaaa   2 hours ago   800B      100B          700B          0

Containers space usage:

CONTAINER ID   IMAGE     COMMAND         LOCAL VOLUMES   SIZE      CREATED              STATUS                     NAMES
111111111111   demo      \"httpd -p 80\"   0               1.5kB     About a minute ago   Exited (3) 2 seconds ago   web1
222222222222   demo      \"httpd -p 80\"   0               500B      About a minute ago   Up 5 seconds               web2

Local Volumes space usage:

VOLUME NAME   LINKS     SIZE
data          0         36B
"
    );
}

#[test]
fn everything_is_one_object_for_templates() {
    let template: &str = "{{range .Containers}}{{.Names}}={{.Size}} {{end}}";
    let format = ListFormat::Template(template.parse().unwrap());
    assert_eq!(
        each(&usage(), &format, moment(NOW)).unwrap(),
        "web1=1.5kB web2=500B \n"
    );
}
