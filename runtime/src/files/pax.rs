//! The records of POSIX extended headers, for what a tar header has no room for.

/// The records in front of one entry.
#[derive(Debug, Default)]
pub(super) struct Records(Vec<u8>);

impl Records {
    /// Adds a record. A later one of the same key replaces an earlier one for whoever reads them.
    pub(super) fn add(&mut self, key: &[u8], value: &[u8]) {
        let rest = key.len() + value.len() + 3;
        // The length counts its own digits, of which it may need one more because of them.
        let mut length = rest + digits(rest);
        length = rest + digits(length);
        self.0.extend(length.to_string().as_bytes());
        self.0.push(b' ');
        self.0.extend(key);
        self.0.push(b'=');
        self.0.extend(value);
        self.0.push(b'\n');
    }

    /// The records as they stand in an archive; none if there are none.
    pub(super) fn bytes(&self) -> Option<&[u8]> {
        (!self.0.is_empty()).then_some(&self.0)
    }
}

fn digits(number: usize) -> usize {
    number.to_string().len()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_record_counts_itself() {
        let mut records = Records::default();
        assert_eq!(records.bytes(), None);
        records.add(b"path", b"abc");
        assert_eq!(records.bytes(), Some(&b"12 path=abc\n"[..]));
    }

    proptest::proptest! {
        #[test]
        fn what_is_written_is_read_by_the_archive_library(value in proptest::collection::vec(proptest::num::u8::ANY, 0..2000)) {
            let mut records = Records::default();
            let value: Vec<u8> = value.into_iter().filter(|byte| *byte != b'\n').collect();
            records.add(b"SCHILY.xattr.user.a", &value);
            let mut read = tar::PaxExtensions::new(records.bytes().unwrap_or_default());
            let record = read.next().unwrap().unwrap();
            proptest::prop_assert_eq!(record.key_bytes(), b"SCHILY.xattr.user.a");
            proptest::prop_assert_eq!(record.value_bytes(), &value[..]);
            proptest::prop_assert!(read.next().is_none());
        }
    }
}
