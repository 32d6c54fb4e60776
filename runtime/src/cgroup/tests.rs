//! Groups that are really made.

use super::hierarchy::unified;
use super::*;
use crate::resources::group_parent::GroupParent;
use minirun_bridge::id::ContainerId;
use std::fs;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

/// A parent name that no other test and no real container uses.
fn parent() -> GroupParent {
    let random = ContainerId::random().expect("the kernel gives random bytes");
    GroupParent::for_a_test(format!("minirun-test-{random}"))
}

/// A process that sleeps until its standard input closes, in the group.
fn sleeper_in(cgroup: &Cgroup) -> Child {
    let child = Command::new("cat").stdin(Stdio::piped()).spawn().unwrap();
    fs::write(cgroup.processes_path(), child.id().to_string()).unwrap();
    child
}

#[test]
fn a_group_is_made_with_its_parent_and_removed_with_it() {
    let (parent, id) = (parent(), ContainerId::random().unwrap());
    let Some(root) = unified().unwrap() else {
        assert!(Cgroup::create((&parent, &id)).unwrap().is_none());
        return;
    };
    assert!(Cgroup::open((&parent, &id)).unwrap().is_none());
    let first = Cgroup::create((&parent, &id)).unwrap().unwrap();
    assert_eq!(first.spec_path(), format!("{parent}/{id}"));
    let second = Cgroup::create((&parent, &ContainerId::random().unwrap()));
    assert!(Cgroup::open((&parent, &id)).unwrap().is_some());
    first.remove().unwrap();
    assert!(root.join(parent.path()).is_dir(), "another group is in it");
    second.unwrap().unwrap().remove().unwrap();
    assert!(!root.join(parent.path()).exists());
}

#[test]
fn killing_the_group_empties_it_and_an_occupied_group_is_not_used_again() {
    let (parent, id) = (parent(), ContainerId::random().unwrap());
    let Some(cgroup) = Cgroup::create((&parent, &id)).unwrap() else {
        return;
    };
    let mut child = sleeper_in(&cgroup);
    let again = Cgroup::create((&parent, &id));
    assert!(matches!(again, Err(CgroupError::Occupied(_))));
    let patience = Duration::from_millis(1);
    let waited = cgroup.wait_until_empty(patience);
    assert!(matches!(waited, Err(CgroupError::NotEmpty { .. })));

    cgroup.kill().unwrap();
    cgroup.wait_until_empty(Duration::from_secs(10)).unwrap();
    assert!(!child.wait().unwrap().success());
    let again = Cgroup::create((&parent, &id)).unwrap().unwrap();
    again.remove().unwrap();
    cgroup.wait_until_empty(Duration::ZERO).unwrap();
    cgroup.remove().unwrap();
}

#[test]
fn groups_made_and_removed_at_once_do_not_disturb_each_other() {
    let parent = parent();
    std::thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                for _ in 0..25 {
                    let id = ContainerId::random().unwrap();
                    if let Some(cgroup) = Cgroup::create((&parent, &id)).unwrap() {
                        cgroup.remove().unwrap();
                    }
                }
            });
        }
    });
    if let Some(root) = unified().unwrap() {
        assert!(!root.join(parent.path()).exists());
    }
}
