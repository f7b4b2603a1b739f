//! What stands around a place.

use memchr::{memchr, memrchr};

use super::window::Window;

/// How far it is looked for lines, in bytes.
const REACH: usize = 4 << 10;

/// The lines around a place: `count` before it, its own and `count` after it.
pub(super) fn lines<'a>(window: &Window<'a>, at: usize, count: usize) -> &'a [u8] {
    between(window, at, count, count)
}

/// The lines around a place: so many before it, its own and so many after it.
pub(super) fn between<'a>(window: &Window<'a>, at: usize, before: usize, after: usize) -> &'a [u8] {
    let floor = at.saturating_sub(REACH);
    let mut start = at;
    for _ in 0..=before {
        match memrchr(b'\n', window.get(floor..start)) {
            Some(found) => start = floor + found,
            None => {
                start = floor;
                break;
            }
        }
    }
    let ceiling = at.saturating_add(REACH).min(window.bytes.len());
    let mut end = at;
    for _ in 0..=after {
        match memchr(b'\n', window.get(end..ceiling)) {
            Some(found) => end += found + 1,
            None => {
                end = ceiling;
                break;
            }
        }
    }
    window.get(start..end)
}

/// The command around a place: its line with those before and after it that a `\` or a backtick joins to it.
pub(super) fn command(window: &Window<'_>, at: usize) -> std::ops::Range<usize> {
    let joined =
        |line: std::ops::Range<usize>| matches!(window.get(line).trim_ascii_end().last(), Some(b'\\' | b'`' | b'^'));
    let own = window.line(at);
    let (mut start, mut end) = (own.start, own.end);
    while let Some(newline) = start.checked_sub(1) {
        let above = window.line(newline);
        if above.start >= start || at - above.start > REACH || !joined(above.clone()) {
            break;
        }
        start = above.start;
    }
    let mut last = own;
    while joined(last.clone()) {
        let Some(newline) = memchr(b'\n', window.get(last.end..window.bytes.len())) else { break };
        last = window.line(last.end + newline + 1);
        if last.end <= end || last.end - at > REACH {
            break;
        }
        end = last.end;
    }
    start..end
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_around_a_place_are_counted_on_both_sides() {
        let window = Window::whole(b"a\nb\nc\nd\ne");
        assert_eq!(lines(&window, 4, 0).trim_ascii(), b"c");
        assert_eq!(lines(&window, 4, 1).trim_ascii(), b"b\nc\nd");
        assert_eq!(lines(&window, 4, 9), b"a\nb\nc\nd\ne");
    }

    #[test]
    fn a_command_goes_over_joined_lines() {
        let text = b"echo\naz vm extension set \\\n  --name X \\\n  --publisher Y\necho";
        let at = text.iter().position(|&byte| byte == b'X').unwrap();
        let window = Window::whole(text);
        assert_eq!(window.get(command(&window, at)), b"az vm extension set \\\n  --name X \\\n  --publisher Y");
        assert_eq!(window.get(command(&window, 1)), b"echo");
    }
}
