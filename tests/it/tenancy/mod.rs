//! Many projects, one service: none reads, spams or starves another.

mod people;
mod quota;
mod wrong;
