//! Writing a file.

use super::head::{Head, SectionHead, SectionKind};
use super::label::Label;
use super::seal::seal;
use super::{FileError, MAX_FILE};
use std::io::{Read, Write};

/// Writes a file whose head is signed already; `sections` gives the bytes that the head names, in its order.
pub fn write<'a, W: Write>(
    label: &Label,
    head: &Head,
    signature: &[u8; 64],
    sections: impl IntoIterator<Item = &'a mut dyn Read>,
    mut out: W,
) -> Result<W, FileError> {
    let total: u64 = head.sections.iter().map(|section| section.len).sum();
    if total > MAX_FILE as u64 {
        return Err(FileError::TooLarge);
    }
    out.write_all(&label.to_bytes())?;
    let mut sealed = seal(&label.recipient, out)?;
    let bytes = head.to_bytes();
    sealed.write_all(&(bytes.len() as u64).to_be_bytes())?;
    sealed.write_all(&bytes)?;
    sealed.write_all(signature)?;
    for (section, from) in head.sections.iter().zip(sections) {
        let written = std::io::copy(&mut from.take(section.len), &mut sealed)?;
        if written != section.len {
            return Err(std::io::Error::from(std::io::ErrorKind::UnexpectedEof).into());
        }
    }
    Ok(sealed.finish()?)
}

/// Writes a file of sections that are in memory, after asking `sign` for the sender's signature.
pub fn seal_all<W: Write, E: From<FileError>>(
    label: &Label,
    mut head: Head,
    sections: &[(SectionKind, Vec<u8>)],
    sign: impl FnOnce(&[u8]) -> Result<[u8; 64], E>,
    out: W,
) -> Result<W, E> {
    let named = sections.iter().map(|(kind, bytes)| SectionHead {
        kind: *kind,
        len: bytes.len() as u64,
        hash: *blake3::hash(bytes).as_bytes(),
    });
    head.sections = named.collect();
    let signature = sign(&head.signature_input(label))?;
    let mut bodies: Vec<&[u8]> = sections.iter().map(|(_, bytes)| bytes.as_slice()).collect();
    let bodies = bodies.iter_mut().map(|body| body as &mut dyn Read);
    Ok(write(label, &head, &signature, bodies, out)?)
}
