//! What strangers send to the web server of the built-in image, and servers to its `wget`: reading ends, and takes no more than it may.

#![no_main]

use std::io::Cursor;

use libfuzzer_sys::fuzz_target;
use minirun_fuzz::http::{HeadError, LONGEST_HEAD, read_head};

fuzz_target!(|bytes: &[u8]| {
    let mut reader = Cursor::new(bytes);
    match read_head(&mut reader) {
        Ok(Some(head)) => {
            assert!(!head.start_line.is_empty());
            assert!(
                !head
                    .fields
                    .iter()
                    .any(|(name, value)| name.is_empty() || value.contains('\n'))
            );
            let _ = (head.field("Host"), head.lists("Connection", "close"));
        }
        Ok(None) | Err(HeadError::Malformed | HeadError::Truncated | HeadError::TooLong) => {}
        Err(HeadError::Read(error)) => panic!("memory can be read: {error}"),
    }
    assert!(reader.position() <= LONGEST_HEAD as u64);
});
