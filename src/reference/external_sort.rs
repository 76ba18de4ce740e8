//! A sort that holds a few megabytes and keeps the rest on disk.
//!
//! Ids are personal: the file has no name (nobody else can open it, and it is gone with the process, however that ends) and
//! lies in the folder for temporary files, `TMPDIR`. Crates that sort on disk keep named files, which a crash leaves behind.

use super::order::Key;
use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::fs::File;
use std::io::{self, BufWriter, Read, Seek, SeekFrom, Write};

/// Bytes in memory before a run is written: a million numbers.
const HELD: usize = 8 * 1024 * 1024;
/// Bytes in memory while runs are merged, all of them together.
const READ: usize = 4 * 1024 * 1024;

/// Takes keys in any order.
#[derive(Debug)]
pub(crate) struct Sorter {
    numbers: Vec<i64>,
    /// What is no number, and where each is.
    bytes: Vec<u8>,
    spans: Vec<(u32, u32)>,
    runs: Runs,
    held: usize,
}

/// What is on disk: sorted runs, one behind the other in one file, of each the numbers before the others.
#[derive(Debug, Default)]
struct Runs {
    file: Option<File>,
    /// How many numbers a run begins with, and where it ends.
    each: Vec<(usize, u64)>,
}

impl Sorter {
    /// An empty one.
    pub(crate) fn new() -> Self {
        Self::holding(HELD)
    }

    /// One that takes this many bytes of memory, and while it grows up to twice as many.
    pub(crate) fn holding(held: usize) -> Self {
        Self { numbers: vec![], bytes: vec![], spans: vec![], runs: Runs::default(), held }
    }

    /// Takes a key.
    pub(crate) fn push(&mut self, key: Key<'_>) -> io::Result<()> {
        let bytes = match key {
            Key::Number(_) => size_of::<i64>(),
            Key::Other(bytes) => bytes.len() + size_of::<(u32, u32)>(),
        };
        let taken = self.numbers.len() * size_of::<i64>() + self.bytes.len() + self.spans.len() * size_of::<(u32, u32)>();
        if taken > 0 && taken + bytes > self.held {
            self.write_run()?;
        }
        match key {
            Key::Number(number) => self.numbers.push(number),
            Key::Other(bytes) => {
                let (Ok(start), Ok(length)) = (u32::try_from(self.bytes.len()), u32::try_from(bytes.len())) else {
                    return Err(io::Error::new(io::ErrorKind::InvalidData, "an id is larger than a sort may hold"));
                };
                self.bytes.extend_from_slice(bytes);
                self.spans.push((start, length));
            }
        }
        Ok(())
    }

    fn sort(&mut self) {
        self.numbers.sort_unstable();
        self.numbers.dedup();
        let bytes = &self.bytes;
        self.spans.sort_unstable_by(|one, other| slice(bytes, *one).cmp(slice(bytes, *other)));
        self.spans.dedup_by(|one, other| slice(bytes, *one) == slice(bytes, *other));
    }

    fn write_run(&mut self) -> io::Result<()> {
        self.sort();
        let file = match self.runs.file.take() {
            Some(file) => file,
            None => nameless()?,
        };
        let mut end = self.runs.each.last().map_or(0, |(_, end)| *end);
        let mut writer = BufWriter::with_capacity(256 * 1024, &file);
        for number in &self.numbers {
            writer.write_all(&number.to_le_bytes())?;
            end += size_of::<i64>() as u64;
        }
        for span in &self.spans {
            writer.write_all(&span.1.to_le_bytes())?;
            writer.write_all(slice(&self.bytes, *span))?;
            end += u64::from(span.1) + 4;
        }
        writer.flush()?;
        drop(writer);
        self.runs.file = Some(file);
        self.runs.each.push((self.numbers.len(), end));
        // Not emptied but given back: the next run may be of the other kind, and would stand beside what this one took.
        (self.numbers, self.bytes, self.spans) = (vec![], vec![], vec![]);
        Ok(())
    }

    /// Everything in order, each key once within what was held together; two equal ones of different runs follow each other.
    pub(crate) fn finish(mut self) -> io::Result<Sorted> {
        if self.runs.each.is_empty() {
            self.sort();
            return Ok(Sorted::Held { numbers: self.numbers, bytes: self.bytes, spans: self.spans, next: 0 });
        }
        if !self.numbers.is_empty() || !self.spans.is_empty() {
            self.write_run()?;
        }
        let Runs { file: Some(file), each } = self.runs else { return Err(io::Error::other("runs without a file")) };
        let share = (READ / each.len()).max(4096);
        let mut start = 0;
        let mut heap = BinaryHeap::with_capacity(each.len());
        for (numbers, end) in each {
            let mut run = Run { numbers, next: start, end, buffer: vec![], at: 0, share };
            let mut key = Kept::Number(0);
            if run.read(&file, &mut key)? {
                heap.push(Reverse(Head { key, run }));
            }
            start = end;
        }
        Ok(Sorted::Merged { file, heap, given: Kept::Number(0) })
    }
}

/// A file that only this process can reach, and nobody else could even if it had a name.
fn nameless() -> io::Result<File> {
    let file = tempfile::tempfile()?;
    #[cfg(unix)]
    file.set_permissions(std::os::unix::fs::PermissionsExt::from_mode(0o600))?;
    Ok(file)
}

fn slice(bytes: &[u8], (start, length): (u32, u32)) -> &[u8] {
    &bytes[start as usize..start as usize + length as usize]
}

/// Gives keys in order.
pub(crate) enum Sorted {
    /// All of it fitted into memory.
    Held {
        /// Those that are numbers.
        numbers: Vec<i64>,
        /// The others.
        bytes: Vec<u8>,
        /// Where they are.
        spans: Vec<(u32, u32)>,
        /// Which comes next.
        next: usize,
    },
    /// Runs, merged as they are read.
    Merged {
        /// The runs.
        file: File,
        /// The first key of each.
        heap: BinaryHeap<Reverse<Head>>,
        /// The key that was given last.
        given: Kept,
    },
}

impl Sorted {
    /// The next key; none when there are no more.
    pub(crate) fn next(&mut self) -> io::Result<Option<Key<'_>>> {
        match self {
            Self::Held { numbers, bytes, spans, next } => {
                let at = *next;
                *next += 1;
                Ok(match numbers.get(at) {
                    Some(number) => Some(Key::Number(*number)),
                    None => spans.get(at - numbers.len()).map(|span| Key::Other(slice(bytes, *span))),
                })
            }
            Self::Merged { file, heap, given } => {
                let Some(mut first) = heap.peek_mut() else { return Ok(None) };
                let Head { key, run } = &mut first.0;
                std::mem::swap(given, key);
                if !run.read(file, key)? {
                    std::collections::binary_heap::PeekMut::pop(first);
                }
                Ok(Some(given.key()))
            }
        }
    }
}

/// A key that stands for itself.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Kept {
    /// As [`Key::Number`].
    Number(i64),
    /// As [`Key::Other`].
    Other(Vec<u8>),
}

impl Kept {
    fn key(&self) -> Key<'_> {
        match self {
            Self::Number(number) => Key::Number(*number),
            Self::Other(bytes) => Key::Other(bytes),
        }
    }

    /// Becomes another one; the memory stays.
    fn become_other(&mut self, bytes: &[u8]) {
        match self {
            Self::Other(own) => {
                own.clear();
                own.extend_from_slice(bytes);
            }
            Self::Number(_) => *self = Self::Other(bytes.to_vec()),
        }
    }
}

/// The next key of a run, and the rest of it.
pub(crate) struct Head {
    key: Kept,
    run: Run,
}

impl PartialEq for Head {
    fn eq(&self, other: &Self) -> bool {
        self.key == other.key
    }
}

impl Eq for Head {}

impl PartialOrd for Head {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Head {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        self.key.cmp(&other.key)
    }
}

struct Run {
    /// How many numbers are to come.
    numbers: usize,
    next: u64,
    end: u64,
    buffer: Vec<u8>,
    at: usize,
    share: usize,
}

impl Run {
    /// The next key of this run; false at its end.
    fn read(&mut self, file: &File, key: &mut Kept) -> io::Result<bool> {
        if self.at == self.buffer.len() && self.next == self.end {
            return Ok(false);
        }
        if let Some(left) = self.numbers.checked_sub(1) {
            let mut number = [0; 8];
            number.copy_from_slice(self.take(file, 8)?);
            (self.numbers, *key) = (left, Kept::Number(i64::from_le_bytes(number)));
            return Ok(true);
        }
        let mut length = [0; 4];
        length.copy_from_slice(self.take(file, 4)?);
        key.become_other(self.take(file, u32::from_le_bytes(length) as usize)?);
        Ok(true)
    }

    /// The next bytes, from memory or from disk.
    fn take(&mut self, file: &File, wanted: usize) -> io::Result<&[u8]> {
        if self.buffer.len() - self.at < wanted {
            self.buffer.drain(..self.at);
            self.at = 0;
            let left = usize::try_from(self.end - self.next).unwrap_or(usize::MAX);
            let (kept, more) = (self.buffer.len(), self.share.max(wanted).min(left));
            self.buffer.resize(kept + more, 0);
            let mut file = file;
            file.seek(SeekFrom::Start(self.next))?;
            file.read_exact(&mut self.buffer[kept..])?;
            self.next += more as u64;
        }
        let taken = self.buffer.get(self.at..self.at + wanted).ok_or(io::ErrorKind::UnexpectedEof)?;
        self.at += wanted;
        Ok(taken)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sorted(keys: &[Vec<u8>], held: usize) -> (Vec<Vec<u8>>, usize) {
        let mut sorter = Sorter::holding(held);
        let mut out = vec![];
        keys.iter().for_each(|id| sorter.push(Key::of(id, &mut out)).unwrap());
        let runs = sorter.runs.each.len();
        let (mut sorted, mut found) = (sorter.finish().unwrap(), vec![]);
        while let Some(key) = sorted.next().unwrap() {
            found.push(key.id());
        }
        assert!(sorted.next().unwrap().is_none());
        found.dedup();
        (found, runs)
    }

    fn scattered(n: u32) -> u32 {
        n.wrapping_mul(2_654_435_761)
    }

    #[test]
    fn what_does_not_fit_into_memory_comes_back_in_order() {
        let text = |n: u32| format!("{n:08x}-{n}").into_bytes();
        let mut texts: Vec<Vec<u8>> = (0..20_000).map(|n| text(scattered(n))).collect();
        let mut numbers: Vec<u32> = (0..20_000).map(scattered).collect();
        let ids: Vec<Vec<u8>> = numbers.iter().zip(&texts).flat_map(|(n, text)| [n.to_string().into(), text.clone()]).collect();
        numbers.sort_unstable();
        texts.sort();
        let expected: Vec<Vec<u8>> = numbers.iter().map(|n| n.to_string().into_bytes()).chain(texts).collect();
        for (held, least) in [(usize::MAX, 0), (64 * 1024, 4), (600, 500)] {
            let twice = [ids.clone(), ids[..100].to_vec()].concat();
            let (found, runs) = sorted(&twice, held);
            assert!(runs >= least, "{runs} runs");
            assert!(found == expected, "{held}: {} of {}", found.len(), expected.len());
        }
    }

    #[test]
    fn an_id_larger_than_what_is_read_at_once_and_an_empty_one_survive() {
        let keys = vec![vec![b'x'; 100_000], vec![], b"-7".to_vec(), b"a".to_vec(), vec![b'x'; 99_999], vec![], b"42".to_vec()];
        let (found, runs) = sorted(&keys, 1_000);
        assert!(runs > 1);
        assert_eq!(found, [b"-7".to_vec(), b"42".to_vec(), vec![], b"a".to_vec(), vec![b'x'; 99_999], vec![b'x'; 100_000]]);
        assert!(sorted(&[], 1).0.is_empty());
    }

    #[test]
    fn memory_does_not_grow_with_what_is_sorted() {
        let mut sorter = Sorter::holding(64 * 1024);
        for n in 0..100_000_u32 {
            let text = format!("user {n}");
            let key = if n % 2 == 0 { Key::Number(n.into()) } else { Key::Other(text.as_bytes()) };
            sorter.push(key).unwrap();
            let spans = sorter.spans.capacity() * size_of::<(u32, u32)>();
            let taken = sorter.bytes.capacity() + spans + sorter.numbers.capacity() * size_of::<i64>();
            assert!(taken <= 2 * 64 * 1024, "{taken} bytes after {n} ids");
        }
        let Sorted::Merged { heap, .. } = sorter.finish().unwrap() else { panic!("all of it in memory") };
        let read: usize = heap.iter().map(|head| head.0.run.buffer.capacity()).sum();
        assert!(read <= 2 * READ, "{read} bytes to read {} runs", heap.len());
    }

    #[test]
    #[cfg(target_os = "linux")]
    fn what_lies_on_disk_has_no_name_and_is_nobody_elses() {
        use std::os::unix::fs::MetadataExt;
        let mut sorter = Sorter::holding(100);
        (0..100).for_each(|n| sorter.push(Key::Number(n)).unwrap());
        let about = sorter.runs.file.as_ref().unwrap().metadata().unwrap();
        assert_eq!((about.nlink(), about.mode() & 0o777), (0, 0o600));
    }
}
