//! Who a container's process runs as: the grammar of `--user`, and what the image's account files make of it.
//!
//! The rules are Docker's (`GetExecUser` of moby/sys/user). The account files are read from the layers, so this works
//! before anything is mounted, and for `exec` in a running container as well.

use std::fmt;
use std::path::{Path, PathBuf};
use std::str::FromStr;

use crate::layers::{LayerError, read_file};

/// The highest user or group number; above it the kernel's and other programs' signed types disagree.
const HIGHEST_ID: u32 = i32::MAX as u32;
/// More than any account file of a real image has, in bytes.
const ACCOUNT_FILE_LIMIT: u64 = 4 << 20;

/// What was typed after `--user`: `name`, `uid`, `name:group`, `uid:gid` and every mixture; empty means root.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct UserRequest {
    user: Option<Account>,
    group: Option<Account>,
}

/// A user or group, by name or by number.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Account {
    Name(String),
    Number(u32),
}

/// The identity a process is given.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ResolvedUser {
    /// User id.
    pub uid: u32,
    /// Primary group id.
    pub gid: u32,
    /// Supplementary group ids: the primary group first, as Docker lists it, then those that name the user as a member.
    pub additional_gids: Vec<u32>,
    /// The home directory as a path inside the container; `/` for a user without an account.
    pub home: String,
}

/// Why a user could not be resolved.
#[derive(Debug, thiserror::Error)]
pub enum UserError {
    /// The word has more than one colon.
    #[error("invalid user `{0}`: write NAME, UID, NAME:GROUP or UID:GID, such as `1000:1000`")]
    Malformed(String),
    /// The number is above what user and group ids may be.
    #[error("user or group id `{0}` is out of range: ids go from 0 to {HIGHEST_ID}")]
    OutOfRange(String),
    /// A name that the image has no account for.
    #[error("unknown user `{0}`: the image's /etc/passwd does not list it")]
    UnknownUser(String),
    /// A name that the image has no group for.
    #[error("unknown group `{0}`: the image's /etc/group does not list it")]
    UnknownGroup(String),
    /// The account files cannot be read.
    #[error("cannot look up the user: {0}")]
    AccountFile(#[from] LayerError),
}

impl UserError {
    /// What helps, where something is known to.
    pub fn hint(&self) -> Option<String> {
        match self {
            UserError::UnknownUser(_) | UserError::UnknownGroup(_) => {
                Some("a number needs no account: try `--user 1000:1000`".to_owned())
            }
            _ => None,
        }
    }
}

/// Resolves the user by the account files in `layers`, the directories of the container's root file system, topmost
/// first (the writable one before those of the image). An image without account files has numbers only.
pub fn resolve_user(request: &UserRequest, layers: &[PathBuf]) -> Result<ResolvedUser, UserError> {
    let read = |path: &str| -> Result<String, LayerError> {
        let bytes = read_file(layers, Path::new(path), ACCOUNT_FILE_LIMIT)?;
        Ok(String::from_utf8_lossy(&bytes.unwrap_or_default()).into_owned())
    };
    resolve_in(request, &read("etc/passwd")?, &read("etc/group")?)
}

/// Resolves the user by the text of the two account files (either may be empty). The first entry that matches counts.
pub fn resolve_in(
    request: &UserRequest,
    passwd: &str,
    group: &str,
) -> Result<ResolvedUser, UserError> {
    let wanted = request.user.clone().unwrap_or(Account::Number(0));
    let entry = passwd
        .lines()
        .filter_map(UserEntry::parse)
        .find(|entry| wanted.is(entry.name, entry.uid));
    let (uid, mut gid, home) = match (&entry, wanted) {
        (Some(entry), _) => (entry.uid, entry.gid, entry.home),
        (None, Account::Number(uid)) => (uid, 0, ""),
        (None, Account::Name(name)) => return Err(UserError::UnknownUser(name)),
    };
    let mut groups = group.lines().filter_map(GroupEntry::parse);
    let mut member_of = Vec::new();
    if let Some(wanted) = &request.group {
        // A group that was asked for replaces all the others.
        gid = match (
            groups.find(|group| wanted.is(group.name, group.gid)),
            wanted,
        ) {
            (Some(group), _) => group.gid,
            (None, Account::Number(gid)) => *gid,
            (None, Account::Name(name)) => return Err(UserError::UnknownGroup(name.clone())),
        };
    } else if let Some(entry) = &entry {
        member_of.extend(groups.filter(|group| group.has_member(entry.name)));
    }
    let mut additional_gids = vec![gid];
    for group in member_of {
        if !additional_gids.contains(&group.gid) {
            additional_gids.push(group.gid);
        }
    }
    Ok(ResolvedUser {
        uid,
        gid,
        additional_gids,
        home: if home.is_empty() { "/" } else { home }.to_owned(),
    })
}

impl FromStr for UserRequest {
    type Err = UserError;

    fn from_str(text: &str) -> Result<Self, UserError> {
        let (user, group) = text.split_once(':').unwrap_or((text, ""));
        if group.contains(':') {
            return Err(UserError::Malformed(text.to_owned()));
        }
        Ok(UserRequest {
            user: Account::parse(user)?,
            group: Account::parse(group)?,
        })
    }
}

impl fmt::Display for UserRequest {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(user) = &self.user {
            write!(formatter, "{user}")?;
        }
        match &self.group {
            Some(group) => write!(formatter, ":{group}"),
            None => Ok(()),
        }
    }
}

impl fmt::Display for Account {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Account::Name(name) => formatter.write_str(name),
            Account::Number(number) => write!(formatter, "{number}"),
        }
    }
}

impl Account {
    /// Reads one side of the colon; an empty word is no account.
    fn parse(word: &str) -> Result<Option<Account>, UserError> {
        if word.is_empty() {
            return Ok(None);
        }
        if !word.bytes().all(|byte| byte.is_ascii_digit()) {
            return Ok(Some(Account::Name(word.to_owned())));
        }
        parse_id(word)
            .map(|number| Some(Account::Number(number)))
            .ok_or_else(|| UserError::OutOfRange(word.to_owned()))
    }

    /// Whether an entry with this name and number is the one meant. A number is never taken for a name.
    fn is(&self, name: &str, number: u32) -> bool {
        match self {
            Account::Name(wanted) => wanted == name,
            Account::Number(wanted) => *wanted == number,
        }
    }
}

/// The fields of a line of `/etc/passwd` that matter here.
struct UserEntry<'a> {
    name: &'a str,
    uid: u32,
    gid: u32,
    home: &'a str,
}

impl<'a> UserEntry<'a> {
    /// `name:password:uid:gid:comment:home:shell`; a line without proper numbers is no account, above all not root's.
    fn parse(line: &'a str) -> Option<UserEntry<'a>> {
        let mut fields = line.trim().split(':');
        let name = fields.next().filter(|name| !name.is_empty())?;
        let uid = parse_id(fields.nth(1)?)?;
        let gid = parse_id(fields.next()?)?;
        let home = fields.nth(1).unwrap_or_default();
        Some(UserEntry {
            name,
            uid,
            gid,
            home,
        })
    }
}

/// The fields of a line of `/etc/group` that matter here.
struct GroupEntry<'a> {
    name: &'a str,
    gid: u32,
    members: &'a str,
}

impl<'a> GroupEntry<'a> {
    /// `name:password:gid:member,member`.
    fn parse(line: &'a str) -> Option<GroupEntry<'a>> {
        let mut fields = line.trim().split(':');
        let name = fields.next().filter(|name| !name.is_empty())?;
        let gid = parse_id(fields.nth(1)?)?;
        let members = fields.next().unwrap_or_default();
        Some(GroupEntry { name, gid, members })
    }

    fn has_member(&self, name: &str) -> bool {
        self.members.split(',').any(|member| member == name)
    }
}

/// A user or group number. The sign that a number type would accept is refused.
fn parse_id(word: &str) -> Option<u32> {
    let digits = word.bytes().all(|byte| byte.is_ascii_digit());
    digits
        .then(|| word.parse().ok())
        .flatten()
        .filter(|id| *id <= HIGHEST_ID)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const PASSWD: &str = "root:x:0:0:root:/root:/bin/sh\n\
        +::::::\n\
        broken:x:zero:zero::/:/bin/sh\n\
        www:x:33:34:web:/var/www:/bin/false\n\
        homeless:x:50:50::\n\
        1000:x:7:7::/seven:/bin/sh\n\
        www:x:99:99::/second:/bin/sh\n";
    const GROUP: &str = "root:x:0:\n\
        +:::\n\
        adm:x:4:root,www\n\
        www:x:34:www\n\
        log:x:35:other,www\n\
        wwwx:x:36:wwwx\n";

    fn resolve(text: &str) -> Result<ResolvedUser, UserError> {
        resolve_in(&text.parse()?, PASSWD, GROUP)
    }

    fn user(uid: u32, gid: u32, additional_gids: &[u32], home: &str) -> ResolvedUser {
        ResolvedUser {
            uid,
            gid,
            additional_gids: additional_gids.to_vec(),
            home: home.to_owned(),
        }
    }

    #[test]
    fn nothing_asked_for_means_root_with_roots_groups_and_home() {
        assert_eq!(resolve("").unwrap(), user(0, 0, &[0, 4], "/root"));
    }

    #[test]
    fn a_name_and_its_number_mean_the_same_account_and_its_groups() {
        let www = user(33, 34, &[34, 4, 35], "/var/www");
        assert_eq!(resolve("www").unwrap(), www);
        assert_eq!(resolve("33").unwrap(), www);
        assert_eq!(resolve("www:").unwrap(), www);
    }

    #[test]
    fn a_group_that_is_asked_for_replaces_all_groups() {
        assert_eq!(resolve("www:adm").unwrap(), user(33, 4, &[4], "/var/www"));
        assert_eq!(resolve("www:77").unwrap(), user(33, 77, &[77], "/var/www"));
        assert_eq!(resolve(":log").unwrap(), user(0, 35, &[35], "/root"));
        assert_eq!(resolve("5:6").unwrap(), user(5, 6, &[6], "/"));
    }

    #[test]
    fn a_number_needs_no_account_and_is_never_taken_for_a_name() {
        assert_eq!(resolve("1000").unwrap(), user(1000, 0, &[0], "/"));
        let bare = resolve_in(&"8:9".parse().unwrap(), "", "").unwrap();
        assert_eq!(bare, user(8, 9, &[9], "/"));
        let root = resolve_in(&UserRequest::default(), "", "").unwrap();
        assert_eq!(root, user(0, 0, &[0], "/"));
    }

    #[test]
    fn an_account_without_a_home_lives_in_the_root_directory() {
        assert_eq!(resolve("homeless").unwrap().home, "/");
    }

    #[test]
    fn a_name_that_nobody_has_is_refused_and_never_becomes_root() {
        for name in ["nobody", "broken", "+", "-1", "www "] {
            let error = resolve(name).unwrap_err();
            assert!(matches!(error, UserError::UnknownUser(_)), "{error}");
            assert!(error.hint().is_some());
        }
        assert!(matches!(
            resolve("www:nobody"),
            Err(UserError::UnknownGroup(_))
        ));
    }

    #[test]
    fn malformed_words_and_numbers_out_of_range_are_refused() {
        assert!(matches!(resolve("a:b:c"), Err(UserError::Malformed(_))));
        for word in ["2147483648", "99999999999999", "0:4294967296"] {
            assert!(matches!(resolve(word), Err(UserError::OutOfRange(_))));
        }
    }

    #[test]
    fn the_account_files_come_from_the_topmost_layer_that_has_them() {
        let directory = tempfile::tempdir().unwrap();
        let layers: Vec<PathBuf> = ["upper", "lower"]
            .iter()
            .map(|name| directory.path().join(name))
            .collect();
        for layer in &layers {
            std::fs::create_dir_all(layer.join("etc")).unwrap();
        }
        let request: UserRequest = "web".parse().unwrap();
        assert!(resolve_user(&request, &layers).is_err());
        std::fs::write(layers[1].join("etc/passwd"), "web:x:5:6::/lower:\n").unwrap();
        std::fs::write(layers[1].join("etc/group"), "extra:x:9:web\n").unwrap();
        assert_eq!(
            resolve_user(&request, &layers).unwrap(),
            user(5, 6, &[6, 9], "/lower")
        );
        std::fs::write(layers[0].join("etc/passwd"), "web:x:7:8::/upper:\n").unwrap();
        assert_eq!(
            resolve_user(&request, &layers).unwrap(),
            user(7, 8, &[8, 9], "/upper")
        );
    }

    proptest! {
        #[test]
        fn a_request_is_shown_in_a_form_that_reads_back(text in "[a-z0-9]{0,8}(:[a-z0-9]{0,8})?") {
            let request: UserRequest = text.parse().unwrap();
            prop_assert_eq!(request.to_string().parse::<UserRequest>().unwrap(), request);
        }

        #[test]
        fn no_account_file_makes_the_look_up_fail_for_a_number(passwd in any::<String>(), group in any::<String>()) {
            let resolved = resolve_in(&"12345:54321".parse().unwrap(), &passwd, &group).unwrap();
            prop_assert_eq!((resolved.uid, resolved.gid), (12345, 54321));
        }
    }
}
