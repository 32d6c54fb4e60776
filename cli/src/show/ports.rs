//! The published ports of a container, as `port` shows them.

use minirun_bridge::port::ExposedPort;
use minirun_bridge::publication::Publication;

/// All of them, one a line, sorted by container port: `80/tcp -> 0.0.0.0:8080`.
pub fn all(publications: &[Publication]) -> String {
    sorted(publications)
        .map(|publication| format!("{} -> {}\n", publication.container, host_side(publication)))
        .collect()
}

/// Where one port of the container stands on the host, one binding a line: `0.0.0.0:8080`. None if it is not published.
pub fn of(publications: &[Publication], port: ExposedPort) -> Option<String> {
    let lines: String = sorted(publications)
        .filter(|publication| publication.container == port)
        .map(|publication| host_side(publication) + "\n")
        .collect();
    (!lines.is_empty()).then_some(lines)
}

fn sorted(publications: &[Publication]) -> impl Iterator<Item = &Publication> {
    let mut sorted: Vec<&Publication> = publications.iter().collect();
    sorted.sort();
    sorted.into_iter()
}

fn host_side(publication: &Publication) -> String {
    publication.host_socket().to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn published(texts: &[&str]) -> Vec<Publication> {
        texts.iter().map(|text| text.parse().unwrap()).collect()
    }

    #[test]
    fn all_ports_are_shown_sorted_by_container_port() {
        let publications = published(&[
            "0.0.0.0:9876->80/tcp",
            "127.0.0.1:53->53/udp",
            "[::]:9876->80/tcp",
            "0.0.0.0:9875->80/tcp",
        ]);
        assert_eq!(
            all(&publications),
            "80/tcp -> 0.0.0.0:9875\n80/tcp -> 0.0.0.0:9876\n80/tcp -> [::]:9876\n53/udp -> 127.0.0.1:53\n"
        );
        assert_eq!(all(&[]), "");
    }

    #[test]
    fn one_port_is_shown_by_its_bindings() {
        let publications = published(&["0.0.0.0:9876->80/tcp", "127.0.0.1:53->53/udp"]);
        assert_eq!(
            of(&publications, "80".parse().unwrap()).as_deref(),
            Some("0.0.0.0:9876\n")
        );
        assert_eq!(of(&publications, "80/udp".parse().unwrap()), None);
    }
}
