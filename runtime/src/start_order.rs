//! In which order containers are started together: what others need comes first.

use crate::config::{ContainerConfig, NetworkMode};

/// The same containers, each after the targets of its links and after the container whose network it shares, as far as they are
/// among them. Else they keep their order, as do those that need each other.
pub(crate) fn start_order(containers: Vec<ContainerConfig>) -> Vec<ContainerConfig> {
    let needs: Vec<Vec<usize>> = containers
        .iter()
        .map(|container| needs(container, &containers))
        .collect();
    let mut slots: Vec<Option<ContainerConfig>> = containers.into_iter().map(Some).collect();
    order(&needs)
        .into_iter()
        .filter_map(|index| slots[index].take())
        .collect()
}

/// Which of the containers one needs.
fn needs(container: &ContainerConfig, containers: &[ContainerConfig]) -> Vec<usize> {
    let network = &container.network;
    let is_needed = |other: &ContainerConfig| {
        let is_owner = matches!(&network.mode, NetworkMode::Container(owner) if *owner == other.id);
        is_owner || network.links.iter().any(|link| link.target == other.name)
    };
    (0..containers.len())
        .filter(|index| is_needed(&containers[*index]))
        .collect()
}

/// All indices, each after those that it needs. Without recursion, since chains of links may be long.
fn order(needs: &[Vec<usize>]) -> Vec<usize> {
    let mut order = Vec::with_capacity(needs.len());
    let mut seen = vec![false; needs.len()];
    for first in 0..needs.len() {
        // Each with how many of those that it needs have been looked at.
        let mut path = vec![(first, 0)];
        if std::mem::replace(&mut seen[first], true) {
            continue;
        }
        while let Some((index, looked_at)) = path.last_mut() {
            match needs[*index].get(*looked_at) {
                Some(&next) => {
                    *looked_at += 1;
                    if !std::mem::replace(&mut seen[next], true) {
                        path.push((next, 0));
                    }
                }
                None => {
                    order.push(*index);
                    path.pop();
                }
            }
        }
    }
    order
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn what_is_needed_comes_first_and_the_rest_stays_as_it_was() {
        assert_eq!(order(&[vec![], vec![], vec![]]), [0, 1, 2]);
        assert_eq!(order(&[vec![2], vec![], vec![1]]), [1, 2, 0]);
        assert_eq!(order(&[vec![1], vec![0], vec![]]), [1, 0, 2], "a circle");
        assert_eq!(order(&[vec![0]]), [0], "itself");
        let chain: Vec<Vec<usize>> = (1..50_000).map(|next| vec![next % 49_999]).collect();
        assert_eq!(order(&chain).len(), 49_999);
    }

    proptest! {
        #[test]
        fn everything_comes_once_and_after_what_it_needs(
            needs in proptest::collection::vec(proptest::collection::vec(0usize..20, 0..4), 20),
            without_circles: bool,
        ) {
            let needs: Vec<Vec<usize>> = needs
                .into_iter()
                .enumerate()
                .map(|(index, needed)| {
                    let allowed = |other: &usize| !without_circles || *other > index;
                    needed.into_iter().filter(allowed).collect()
                })
                .collect();
            let order = order(&needs);
            let mut sorted = order.clone();
            sorted.sort_unstable();
            prop_assert_eq!(sorted, (0..20).collect::<Vec<_>>());
            if without_circles {
                let place = |index: usize| order.iter().position(|other| *other == index);
                for (index, needed) in needs.iter().enumerate() {
                    for other in needed {
                        prop_assert!(place(*other) < place(index));
                    }
                }
            }
        }
    }
}
