//! The answer to a watch, taken apart into events: each is handed on as a chunk of its own.

use super::fault::Twist;

/// The end of the list that a watch begins with.
const END_OF_LIST: &str = "k8s.io/initial-events-end";

pub(super) struct Events {
    /// What was received and not yet taken apart.
    raw: Vec<u8>,
    head_is_over: bool,
    /// The beginning of an event.
    line: Vec<u8>,
    listed: bool,
    /// Events after the list.
    seen: usize,
    twist: Option<(usize, Twist)>,
    /// It has come, and nobody has asked yet.
    twisted: Option<Twist>,
    /// The lines of the list, its end included.
    pub list: Vec<u8>,
}

/// What is to be done with what was received.
pub(super) enum Then {
    GoOn,
    Cut,
    FallSilent,
}

impl Events {
    /// `listed`: the watch begins without a list.
    pub(super) fn new(listed: bool, twist: Option<(usize, Twist)>) -> Self {
        let (raw, line, list) = (Vec::new(), Vec::new(), Vec::new());
        Self { raw, head_is_over: false, line, listed, seen: 0, twist, twisted: None, list }
    }

    /// How many events came after the list.
    pub(super) fn seen(&self) -> usize {
        self.seen
    }

    /// The list is whole.
    pub(super) fn has_listed(&self) -> bool {
        self.listed && !self.list.is_empty()
    }

    /// The twist, once, when it has come.
    pub(super) fn twisted(&mut self) -> Option<Twist> {
        self.twisted.take()
    }

    /// Takes in bytes; gives what is to be handed on, and what then.
    pub(super) fn take(&mut self, bytes: &[u8]) -> (Vec<u8>, Then) {
        self.raw.extend_from_slice(bytes);
        let mut out = Vec::new();
        if !self.head_is_over {
            let Some(end) = find(&self.raw, b"\r\n\r\n") else { return (out, Then::GoOn) };
            out.extend(self.raw.drain(..end + 4));
            self.head_is_over = true;
        }
        while let Some(data) = self.chunk() {
            if data.is_empty() {
                out.extend_from_slice(b"0\r\n\r\n");
                return (out, Then::Cut);
            }
            self.line.extend_from_slice(&data);
            while let Some(end) = self.line.iter().position(|byte| *byte == b'\n') {
                let line: Vec<u8> = self.line.drain(..=end).collect();
                match self.event(&line, &mut out) {
                    Then::GoOn => {}
                    then => return (out, then),
                }
            }
        }
        (out, Then::GoOn)
    }

    /// The next whole chunk.
    fn chunk(&mut self) -> Option<Vec<u8>> {
        let end = find(&self.raw, b"\r\n")?;
        let size = usize::from_str_radix(std::str::from_utf8(&self.raw[..end]).unwrap().trim(), 16).unwrap();
        if self.raw.len() < end + 2 + size + 2 {
            return None;
        }
        let data = self.raw[end + 2..end + 2 + size].to_vec();
        self.raw.drain(..end + 2 + size + 2);
        Some(data)
    }

    fn event(&mut self, line: &[u8], out: &mut Vec<u8>) -> Then {
        let text = String::from_utf8_lossy(line);
        let is_bookmark = text.starts_with("{\"type\":\"BOOKMARK\"");
        if !self.listed {
            self.listed = is_bookmark && text.contains(END_OF_LIST);
            self.list.extend_from_slice(&chunked(line));
            out.extend_from_slice(&chunked(line));
            return Then::GoOn;
        }
        let number = self.seen;
        self.seen += usize::from(!is_bookmark);
        let twist = self.twist.filter(|(from, _)| *from == number && !is_bookmark).map(|(_, twist)| twist);
        self.twisted = self.twisted.or(twist);
        match twist {
            None => out.extend_from_slice(&chunked(line)),
            Some(Twist::Drop) => {}
            Some(Twist::Double) => {
                out.extend_from_slice(&chunked(line));
                out.extend_from_slice(&chunked(line));
            }
            Some(Twist::Cut) => return Then::Cut,
            Some(Twist::Silence) => return Then::FallSilent,
            Some(Twist::Gone | Twist::Back) => {
                let gone = "{\"type\":\"ERROR\",\"object\":{\"kind\":\"Status\",\"apiVersion\":\"v1\",\"metadata\":{},\"status\":\
                            \"Failure\",\"message\":\"too old resource version\",\"reason\":\"Expired\",\"code\":410}}\n";
                out.extend_from_slice(&chunked(gone.as_bytes()));
                return Then::Cut;
            }
        }
        Then::GoOn
    }
}

fn chunked(line: &[u8]) -> Vec<u8> {
    [format!("{:x}\r\n", line.len()).as_bytes(), line, b"\r\n"].concat()
}

pub(super) fn find(bytes: &[u8], what: &[u8]) -> Option<usize> {
    bytes.windows(what.len()).position(|part| part == what)
}
