//! Prints the TypeScript of the contract; `cargo xtask gen` writes it to the page's source.

fn main() {
    print!("{}", app::contract::typescript());
}
