//! The operator's password: made here, printed once, kept only as an argon2id hash.

use crate::world::World;
use argon2::password_hash::phc::PasswordHash;
use argon2::{Algorithm, Argon2, Params, PasswordHasher, PasswordVerifier, Version};

const MEMORY_KIB: u32 = 64 * 1024;
const PASSES: u32 = 3;
const LETTERS: &[u8; 32] = b"abcdefghijkmnpqrstuvwxyz23456789";

/// Makes a password of 20 letters (100 bits) in groups of five, without letters that look alike.
pub fn make(world: &World) -> String {
    let letters: Vec<u8> = world.random::<20>().iter().map(|byte| LETTERS[usize::from(byte & 31)]).collect();
    let groups: Vec<&str> =
        letters.chunks(5).map(|group| std::str::from_utf8(group).expect("the letters are ASCII")).collect();
    groups.join("-")
}

/// The text to store: argon2id with its parameters and salt.
pub fn hash(world: &World, password: &str) -> String {
    argon()
        .hash_password_with_salt(password.as_bytes(), &world.random::<16>())
        .expect("the parameters and the salt's length are constants within argon2's bounds")
        .to_string()
}

/// True if this is the password. The parameters are those of the stored text.
pub fn fits(stored: &str, password: &str) -> bool {
    PasswordHash::new(stored)
        .is_ok_and(|stored| argon().verify_password(password.as_bytes(), &stored).is_ok())
}

fn argon() -> Argon2<'static> {
    let params = Params::new(MEMORY_KIB, PASSES, 1, None).expect("constants within argon2's bounds");
    Argon2::new(Algorithm::Argon2id, Version::V0x13, params)
}

#[cfg(test)]
mod tests {
    use super::{fits, hash, make};
    use crate::world::World;

    #[test]
    fn a_password_fits_its_hash_only() {
        let world = World::real();
        let password = make(&world);
        assert_eq!(password.len(), 23, "four groups of five: {password}");
        let stored = hash(&world, &password);
        assert!(stored.starts_with("$argon2id$v=19$m=65536,t=3,p=1$"), "{stored}");
        assert!(fits(&stored, &password));
        assert!(!fits(&stored, &make(&world)), "another password");
        assert!(!fits("", &password), "no hash is no way in");
    }
}
