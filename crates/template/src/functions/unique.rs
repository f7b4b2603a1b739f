//! Names that are made from other names, the same that Azure makes.

use serde_json::Value;
use uuid::Uuid;

use super::{Call, Function, MANY, function};
use crate::error::Fault;
use crate::session::Growing;

pub(super) const TABLE: &[Function] = &[
    function("guid", 1, MANY, guid),
    function("newGuid", 0, 0, |call| Ok(call.fresh()?.guid(call.evaluator.scope.context.seed).to_string().into())),
    function("uniqueString", 1, MANY, unique_string),
];

/// The namespace of `guid`, from Microsoft's "String functions for Bicep".
const GUIDS: Uuid = Uuid::from_u128(0x11fb_06fb_712d_4ddd_98c7_e71b_bd58_8830);

/// A version 5 UUID of the arguments joined by `-`.
fn guid(call: &Call<'_, '_>) -> Result<Value, Fault> {
    Ok(Uuid::new_v5(&GUIDS, joined(call)?.as_bytes()).to_string().into())
}

/// 13 characters of base 32: the 64 bits of the hash of the arguments joined by `-`, from the top, the last one with a
/// zero below.
fn unique_string(call: &Call<'_, '_>) -> Result<Value, Fault> {
    const DIGITS: &[u8; 32] = b"abcdefghijklmnopqrstuvwxyz234567";
    let hash = hash(joined(call)?.as_bytes());
    let digit =
        |at: u32| DIGITS.get(usize::try_from(hash.checked_shl(5 * at)? >> 59).ok()?).map(|digit| char::from(*digit));
    Ok((0..13).filter_map(digit).collect::<String>().into())
}

fn joined(call: &Call<'_, '_>) -> Result<String, Fault> {
    let mut text = Growing::default();
    for at in 0..call.arguments.len() {
        if at > 0 {
            text.push("-")?;
        }
        text.push(call.text(at)?)?;
    }
    Ok(text.into_text())
}

/// The hash of `uniqueString`: a relative of MurmurHash3 with 64 bits, made of two halves. Known from `unique_string` of
/// Microsoft's provider `azapi` for Terraform.
fn hash(bytes: &[u8]) -> u64 {
    const ONE: u32 = 0x239b_961b;
    const OTHER: u32 = 0xab0e_9789;
    let mix =
        |half: u32, first: u32, by: u32, second: u32| half.wrapping_mul(first).rotate_left(by).wrapping_mul(second);
    let (mut low, mut high) = (0_u32, 0_u32);
    let mut blocks = bytes.chunks_exact(8);
    for block in &mut blocks {
        let (first, second) = halves(block);
        low = (low ^ mix(first, ONE, 15, OTHER)).rotate_left(19).wrapping_add(high);
        low = low.wrapping_mul(5).wrapping_add(0x561c_cd1b);
        high = (high ^ mix(second, OTHER, 17, ONE)).rotate_left(13).wrapping_add(low);
        high = high.wrapping_mul(5).wrapping_add(0x0bca_a747);
    }
    // What is missing of the last block is zero, and zero changes nothing.
    let (first, second) = halves(blocks.remainder());
    low ^= mix(first, ONE, 15, OTHER);
    high ^= mix(second, OTHER, 17, ONE);
    // Only the lowest bits of the length count.
    let length = u32::try_from(bytes.len()).unwrap_or(u32::MAX);
    high ^= length;
    low = (low ^ length).wrapping_add(high);
    high = high.wrapping_add(low);
    low = finish(low);
    high = finish(high);
    low = low.wrapping_add(high);
    high = high.wrapping_add(low);
    u64::from(high) << 32 | u64::from(low)
}

/// Up to eight bytes as two numbers, the lowest byte first.
fn halves(block: &[u8]) -> (u32, u32) {
    let number = |bytes: &[u8]| bytes.iter().rev().fold(0_u32, |number, byte| number << 8 | u32::from(*byte));
    match block.split_at_checked(4) {
        Some((first, second)) => (number(first), number(second)),
        None => (number(block), 0),
    }
}

fn finish(half: u32) -> u32 {
    let half = (half ^ half >> 16).wrapping_mul(0x85eb_ca6b);
    let half = (half ^ half >> 13).wrapping_mul(0xc2b2_ae35);
    half ^ half >> 16
}
