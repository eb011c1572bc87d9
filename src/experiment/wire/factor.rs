//! What a factor looks like on the wire: one value, or a list of values that multiply out.

use std::fmt;
use std::marker::PhantomData;
use std::ops::Range;

use serde::Deserialize;
use serde::de::value::{MapAccessDeserializer, SeqAccessDeserializer};
use serde::de::{self, Deserializer, IntoDeserializer, MapAccess, SeqAccess, Visitor};
use toml::Spanned;

/// One value or a list of them, each with its place.
///
/// Written by hand instead of as an untagged enum, because serde buffers those, and its buffer has
/// lost line and column.
#[derive(Debug)]
pub struct Factor<T> {
    /// In the order of the file; empty only if the file says `[]`.
    pub items: Vec<Spanned<T>>,
    /// Of the whole value.
    pub span: Range<usize>,
}

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Factor<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let value: Spanned<OneOrMany<T>> = Spanned::deserialize(deserializer)?;
        let span = value.span();
        let items = match value.into_inner() {
            OneOrMany::One(item) => vec![Spanned::new(span.clone(), item)],
            OneOrMany::Many(items) => items,
        };
        Ok(Factor { items, span })
    }
}

enum OneOrMany<T> {
    One(T),
    Many(Vec<Spanned<T>>),
}

impl<'de, T: Deserialize<'de>> Deserialize<'de> for OneOrMany<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct OneOrManyVisitor<T>(PhantomData<T>);

        impl<'de, T: Deserialize<'de>> Visitor<'de> for OneOrManyVisitor<T> {
            type Value = OneOrMany<T>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a value or a list of values")
            }

            fn visit_str<E: de::Error>(self, text: &str) -> Result<Self::Value, E> {
                T::deserialize(text.into_deserializer()).map(OneOrMany::One)
            }

            fn visit_i64<E: de::Error>(self, number: i64) -> Result<Self::Value, E> {
                T::deserialize(number.into_deserializer()).map(OneOrMany::One)
            }

            fn visit_f64<E: de::Error>(self, number: f64) -> Result<Self::Value, E> {
                T::deserialize(number.into_deserializer()).map(OneOrMany::One)
            }

            fn visit_bool<E: de::Error>(self, truth: bool) -> Result<Self::Value, E> {
                T::deserialize(truth.into_deserializer()).map(OneOrMany::One)
            }

            fn visit_seq<A: SeqAccess<'de>>(self, items: A) -> Result<Self::Value, A::Error> {
                Vec::deserialize(SeqAccessDeserializer::new(items)).map(OneOrMany::Many)
            }

            fn visit_map<A: MapAccess<'de>>(self, entries: A) -> Result<Self::Value, A::Error> {
                T::deserialize(MapAccessDeserializer::new(entries)).map(OneOrMany::One)
            }
        }

        deserializer.deserialize_any(OneOrManyVisitor(PhantomData))
    }
}

/// A type of one value that is read from any of the given TOML types, each by a function.
macro_rules! value {
    ($name:ident, $expected:literal, $($visit:ident($found:ident: $type:ty) => $value:expr),+) => {
        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                struct ValueVisitor;

                impl Visitor<'_> for ValueVisitor {
                    type Value = $name;

                    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                        f.write_str($expected)
                    }

                    $(fn $visit<E: de::Error>(self, $found: $type) -> Result<$name, E> {
                        $value.map($name).map_err(E::custom)
                    })+
                }

                deserializer.deserialize_any(ValueVisitor)
            }
        }
    };
}

/// A whole number that is not negative.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Count(pub u64);

value!(Count, "a whole number",
    visit_i64(n: i64) => u64::try_from(n).map_err(|_| format!("expected 0 or more, found {n}")));

/// A number, with or without a fraction; its reader knows its bounds.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Number(pub f64);

value!(Number, "a number",
    visit_i64(n: i64) => Ok::<_, String>(n as f64),
    visit_f64(n: f64) => Ok::<_, String>(n));

/// A number or a text, as text: the form of options everywhere else.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Scalar(pub String);

value!(Scalar, "a whole number or a text in quotes",
    visit_i64(n: i64) => Ok::<_, String>(n.to_string()),
    visit_str(text: &str) => Ok::<_, String>(text.to_owned()));

/// A table of any keys, in the order of the file.
#[derive(Debug)]
pub struct Entries<T>(pub Vec<(Spanned<String>, T)>);

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Entries<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct EntriesVisitor<T>(PhantomData<T>);

        impl<'de, T: Deserialize<'de>> Visitor<'de> for EntriesVisitor<T> {
            type Value = Entries<T>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a table such as { chunks = 2 }")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
                let mut entries: Vec<(Spanned<String>, T)> = Vec::new();
                while let Some(entry) = map.next_entry()? {
                    entries.push(entry);
                }
                // The parser hands tables over in the order of their keys.
                entries.sort_by_key(|(key, _)| key.span().start);
                Ok(Entries(entries))
            }
        }

        deserializer.deserialize_map(EntriesVisitor(PhantomData))
    }
}

/// `"pool"`, or `{ name = "pool", workers = [1, 2] }`.
#[derive(Debug)]
pub enum WireStrategy {
    /// With the options at their defaults; `*` is every strategy.
    Name(String),
    /// The name and the options, whose lists multiply out.
    Table(Entries<Factor<Scalar>>),
}

impl<'de> Deserialize<'de> for WireStrategy {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct StrategyVisitor;

        impl<'de> Visitor<'de> for StrategyVisitor {
            type Value = WireStrategy;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a name in quotes or a table such as { name = \"pool\" }")
            }

            fn visit_str<E: de::Error>(self, name: &str) -> Result<WireStrategy, E> {
                Ok(WireStrategy::Name(name.to_owned()))
            }

            fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<WireStrategy, A::Error> {
                Entries::deserialize(MapAccessDeserializer::new(map)).map(WireStrategy::Table)
            }
        }

        deserializer.deserialize_any(StrategyVisitor)
    }
}
