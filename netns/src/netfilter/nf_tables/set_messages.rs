//! The messages that make sets and their elements. Pure.
//!
//! # Theory of operation
//!
//! 1. A set without intervals is a hash table; its keys are values one behind the other, each padded to a register.
//! 2. A set with intervals whose key has several parts has a first and a last key for each element (`NFT_SET_CONCAT`), and the
//!    lengths of the parts beside it.
//! 3. A set with intervals whose key has one part is a tree of points: each element is one point where an interval begins and
//!    one behind its end, which the last value of all does not need.
//! 4. What the kernel does not need, `nft` does, to print values well: the numbers of types, and a few bytes of data for the
//!    user beside the set (`enum nftnl_udata_set_types` of libnftnl).

use netlink_packet_core::{DefaultNla, Emitable};
use netlink_packet_netfilter::nftables::{
    DataAttribute, ListAttribute, SetAttribute, SetDescription, SetElementAttribute,
    SetElementFlags, SetElementList, SetElementMessage, SetFlags, SetMessage,
};

use super::Table;
use super::encoding::{ByteOrder, byte_order_of, concatenated, length_of, number_of};
use super::field::number;
use super::set::{Definition, Element, Key, SetContent};
use super::value::{DataType, Value};

/// `NFT_DATA_VERDICT`
const VERDICT: u32 = 0xffff_ff00;
/// `NFTA_LIST_ELEM` and `NFTA_SET_FIELD_LEN`
const LIST_ELEMENT: u16 = 1;
const FIELD_LENGTH: u16 = 1;
/// `NLA_F_NESTED` of `linux/netlink.h`
const NESTED: u16 = 1 << 15;
/// `NFTA_DATA_VALUE`
const DATA_VALUE: u16 = 1;
/// `enum nftnl_udata_set_types`
const KEY_BYTE_ORDER: u8 = 0;
const DATA_BYTE_ORDER: u8 = 1;
const MERGES_ELEMENTS: u8 = 2;
const KEY_TYPE_OF: u8 = 3;

/// A set, with a number that is its own in this transaction.
pub(super) fn set(table: Table, definition: &Definition, id: u32) -> SetMessage {
    let mut flags = SetFlags::empty();
    if definition.content != SetContent::Members {
        flags |= SetFlags::Map;
    }
    let concatenated_intervals = definition.intervals && definition.key.len() > 1;
    if definition.intervals {
        flags |= SetFlags::Interval;
    }
    if concatenated_intervals {
        flags |= SetFlags::Concat;
    }
    let mut attributes = vec![
        SetAttribute::Table(table.name.into()),
        SetAttribute::Name(definition.name.into()),
        SetAttribute::Flags(flags),
        SetAttribute::KeyType(number_of(definition.key)),
        SetAttribute::KeyLen(length(definition.key)),
    ];
    match definition.content {
        SetContent::Members => {}
        SetContent::Verdicts => attributes.push(SetAttribute::DataType(VERDICT)),
        SetContent::Values(types) => attributes.extend([
            SetAttribute::DataType(number_of(types)),
            SetAttribute::DataLen(length(types)),
        ]),
    }
    attributes.push(SetAttribute::Id(id));
    if concatenated_intervals {
        let fields = definition.key.iter().map(field_length).collect();
        attributes.push(SetAttribute::Description(vec![SetDescription::Concat(
            fields,
        )]));
    }
    attributes.push(SetAttribute::UserData(user_data(definition)));
    SetMessage { attributes }
}

/// A set, by its name.
pub(super) fn set_name(table: Table, name: &str) -> Vec<SetElementList> {
    vec![
        SetElementList::Table(table.name.into()),
        SetElementList::Set(name.into()),
    ]
}

/// One element.
pub(super) fn element(table: Table, element: &Element) -> SetElementMessage {
    let entries = match element.key.as_slice() {
        [Key::Range(first, last)] => points(element, first, last),
        _ => vec![ListAttribute::Element(entry(element))],
    };
    let mut attributes = set_name(table, element.set);
    attributes.push(SetElementList::Elements(entries));
    SetElementMessage { attributes }
}

fn entry(element: &Element) -> Vec<SetElementAttribute> {
    let first = element.key.iter().map(|part| match part {
        Key::One(value) | Key::Range(value, _) => value,
    });
    let mut attributes = vec![SetElementAttribute::Key(value(concatenated(first)))];
    if element
        .key
        .iter()
        .any(|part| matches!(part, Key::Range(..)))
    {
        let last = element.key.iter().map(|part| match part {
            Key::One(value) | Key::Range(_, value) => value,
        });
        let end = DefaultNla::new(DATA_VALUE, concatenated(last));
        attributes.push(SetElementAttribute::KeyEnd(vec![end]));
    }
    attributes.extend(data(element));
    attributes
}

/// Where an interval begins, and the first value behind it, if there is any.
fn points(
    element: &Element,
    first: &Value,
    last: &Value,
) -> Vec<ListAttribute<SetElementAttribute>> {
    let mut begin = vec![SetElementAttribute::Key(value(first.bytes()))];
    begin.extend(data(element));
    let mut points = vec![ListAttribute::Element(begin)];
    if let Some(end) = successor(last.bytes()) {
        points.push(ListAttribute::Element(vec![
            SetElementAttribute::Flags(SetElementFlags::IntervalEnd),
            SetElementAttribute::Key(value(end)),
        ]));
    }
    points
}

/// The next number; none behind the last one.
fn successor(mut bytes: Vec<u8>) -> Option<Vec<u8>> {
    for byte in bytes.iter_mut().rev() {
        *byte = byte.wrapping_add(1);
        if *byte != 0 {
            return Some(bytes);
        }
    }
    None
}

fn data(element: &Element) -> Option<SetElementAttribute> {
    if let Some(verdict) = &element.verdict {
        return Some(SetElementAttribute::Data(verdict.data()));
    }
    (!element.values.is_empty())
        .then(|| SetElementAttribute::Data(value(concatenated(element.values.iter()))))
}

fn value(bytes: Vec<u8>) -> DataAttribute {
    DataAttribute::Value(bytes)
}

fn field_length(part: &DataType) -> DefaultNla {
    // Longer than sixteen bytes is none.
    let length = u32::try_from(part.length()).unwrap_or(u32::MAX);
    let field = number(FIELD_LENGTH, length);
    let mut bytes = vec![0; field.buffer_len()];
    field.emit(&mut bytes);
    DefaultNla::new(LIST_ELEMENT | NESTED, bytes)
}

fn length(types: &[DataType]) -> u32 {
    u32::try_from(length_of(types)).unwrap_or(u32::MAX)
}

fn user_data(definition: &Definition) -> Vec<u8> {
    let mut bytes = Vec::new();
    let mut note = |kind: u8, order: u32| bytes.extend(entry_of_user(kind, &order.to_ne_bytes()));
    note(KEY_BYTE_ORDER, byte_order_of(definition.key) as u32);
    match definition.content {
        SetContent::Members => {}
        SetContent::Verdicts => note(DATA_BYTE_ORDER, ByteOrder::Concatenation as u32),
        SetContent::Values(types) => note(DATA_BYTE_ORDER, byte_order_of(types) as u32),
    }
    note(MERGES_ELEMENTS, 0);
    bytes.extend(type_of(definition.key).unwrap_or_default());
    bytes
}

/// One entry of data for the user: type, length, value.
fn entry_of_user(kind: u8, value: &[u8]) -> Vec<u8> {
    // All there are are short.
    let length = u8::try_from(value.len()).unwrap_or(u8::MAX);
    let mut bytes = vec![kind, length];
    bytes.extend(value);
    bytes
}

/// What `nft` notes of a set whose key has a part without a name: for each part an expression (`enum expr_types` of `nft`).
fn type_of(key: &[DataType]) -> Option<Vec<u8>> {
    const EXPRESSION: u8 = 0;
    const OPERAND: u8 = 1;
    const PAYLOAD: u32 = 7;
    const META: u32 = 9;
    const CONCATENATION: u32 = 13;
    /// `NFT_META_IIFNAME`
    const INPUT_INTERFACE: u32 = 6;
    /// Description and type of what has no name, the header (one more than the kernel's number of it), offset and length in bits.
    const TARGET: [u32; 5] = [0, 0, 3, 64, 128];
    if !key.contains(&DataType::AdvertisedTarget) {
        return None;
    }
    let numbers = |values: &[u32]| {
        let entries = (0..).zip(values);
        let entries = entries.flat_map(|(kind, value)| entry_of_user(kind, &value.to_ne_bytes()));
        entries.collect::<Vec<u8>>()
    };
    let expression = |kind: u32, operand: &[u8]| {
        let mut bytes = entry_of_user(EXPRESSION, &kind.to_ne_bytes());
        bytes.extend(entry_of_user(OPERAND, operand));
        bytes
    };
    let part = |part: &DataType| match part {
        DataType::AdvertisedTarget => expression(PAYLOAD, &numbers(&TARGET)),
        _ => expression(META, &numbers(&[INPUT_INTERFACE])),
    };
    let parts = (0..).zip(key);
    let parts: Vec<u8> = parts
        .flat_map(|(index, kind)| entry_of_user(index, &part(kind)))
        .collect();
    let whole = match key {
        [one] => part(one),
        _ => expression(CONCATENATION, &parts),
    };
    Some(entry_of_user(KEY_TYPE_OF, &whole))
}
