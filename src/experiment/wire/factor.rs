//! What a factor looks like on the wire: one value, or a list of values that multiply out.

use std::fmt;
use std::marker::PhantomData;
use std::ops::Range;

use serde::de::value::{MapAccessDeserializer, SeqAccessDeserializer};
use serde::de::{self, DeserializeOwned, Deserializer, IntoDeserializer, MapAccess, SeqAccess};
use serde::{Deserialize, de::Visitor};
use toml::Spanned;

/// One value or a list of them, each with its place.
///
/// Written by hand instead of as an untagged enum, because serde buffers those, and what comes out
/// of its buffer has lost its line and column.
#[derive(Debug)]
pub(super) struct Factor<T> {
    /// In the order of the file; empty only if the file says `[]`.
    pub(super) items: Vec<Spanned<T>>,
    /// Of the whole value.
    pub(super) span: Range<usize>,
}

/// What can stand in a [`Factor`].
pub(super) trait Element: DeserializeOwned {
    /// For errors: `a name`.
    const EXPECTED: &'static str;
    /// Whether `0.5` is one.
    const TAKES_FRACTIONS: bool = false;
}

impl Element for String {
    const EXPECTED: &'static str = "a name in quotes";
}

impl<'de, T: Element> Deserialize<'de> for Factor<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let value: Spanned<OneOrMany<T>> = Spanned::deserialize(deserializer)?;
        let span = value.span();
        Ok(Factor {
            items: match value.into_inner() {
                OneOrMany::One(item) => vec![Spanned::new(span.clone(), item)],
                OneOrMany::Many(items) => items,
            },
            span,
        })
    }
}

enum OneOrMany<T> {
    One(T),
    Many(Vec<Spanned<T>>),
}

impl<'de, T: Element> Deserialize<'de> for OneOrMany<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(OneOrManyVisitor(PhantomData))
    }
}

struct OneOrManyVisitor<T>(PhantomData<T>);

impl<'de, T: Element> Visitor<'de> for OneOrManyVisitor<T> {
    type Value = OneOrMany<T>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} or a list of them", T::EXPECTED)
    }

    fn visit_str<E: de::Error>(self, text: &str) -> Result<Self::Value, E> {
        T::deserialize(text.into_deserializer()).map(OneOrMany::One)
    }

    fn visit_i64<E: de::Error>(self, number: i64) -> Result<Self::Value, E> {
        T::deserialize(number.into_deserializer()).map(OneOrMany::One)
    }

    fn visit_f64<E: de::Error>(self, number: f64) -> Result<Self::Value, E> {
        if !T::TAKES_FRACTIONS {
            return Err(E::invalid_type(de::Unexpected::Float(number), &self));
        }
        T::deserialize(number.into_deserializer()).map(OneOrMany::One)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, items: A) -> Result<Self::Value, A::Error> {
        Vec::deserialize(SeqAccessDeserializer::new(items)).map(OneOrMany::Many)
    }

    fn visit_map<A: MapAccess<'de>>(self, entries: A) -> Result<Self::Value, A::Error> {
        T::deserialize(MapAccessDeserializer::new(entries)).map(OneOrMany::One)
    }
}

/// A whole number that is not negative.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Count(pub(super) u64);

impl Element for Count {
    const EXPECTED: &'static str = "a whole number";
}

impl<'de> Deserialize<'de> for Count {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct CountVisitor;
        impl Visitor<'_> for CountVisitor {
            type Value = Count;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(Count::EXPECTED)
            }

            fn visit_i64<E: de::Error>(self, number: i64) -> Result<Count, E> {
                u64::try_from(number)
                    .map(Count)
                    .map_err(|_| E::custom(format!("expected 0 or more, found {number}")))
            }
        }
        deserializer.deserialize_any(CountVisitor)
    }
}

/// A number, with or without a fraction; its bounds are for whoever knows what it counts.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Number(pub(super) f64);

impl Element for Number {
    const EXPECTED: &'static str = "a number";
    const TAKES_FRACTIONS: bool = true;
}

impl<'de> Deserialize<'de> for Number {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct NumberVisitor;
        impl Visitor<'_> for NumberVisitor {
            type Value = Number;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(Number::EXPECTED)
            }

            fn visit_i64<E: de::Error>(self, number: i64) -> Result<Number, E> {
                Ok(Number(number as f64))
            }

            fn visit_f64<E: de::Error>(self, number: f64) -> Result<Number, E> {
                Ok(Number(number))
            }
        }
        deserializer.deserialize_any(NumberVisitor)
    }
}

/// A number or a text, as text: the form in which options travel everywhere else.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Scalar(pub(crate) String);

impl Element for Scalar {
    const EXPECTED: &'static str = "a whole number or a text in quotes";
}

impl<'de> Deserialize<'de> for Scalar {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct ScalarVisitor;
        impl Visitor<'_> for ScalarVisitor {
            type Value = Scalar;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(Scalar::EXPECTED)
            }

            fn visit_i64<E: de::Error>(self, number: i64) -> Result<Scalar, E> {
                Ok(Scalar(number.to_string()))
            }

            fn visit_str<E: de::Error>(self, text: &str) -> Result<Scalar, E> {
                Ok(Scalar(text.to_owned()))
            }
        }
        deserializer.deserialize_any(ScalarVisitor)
    }
}

/// What stands under a header of its own, once or more often.
pub(super) trait Headed: DeserializeOwned {
    /// For errors: `[[family]]`.
    const HEADER: &'static str;
}

/// Every `[[family]]`, told apart from the `[family]` that is so easily written instead.
#[derive(Debug)]
pub(super) struct Tables<T>(pub(super) Vec<Spanned<T>>);

impl<'de, T: Headed> Deserialize<'de> for Tables<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct TablesVisitor<T>(PhantomData<T>);
        impl<'de, T: Headed> Visitor<'de> for TablesVisitor<T> {
            type Value = Tables<T>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, "{} in double brackets", T::HEADER)
            }

            fn visit_seq<A: SeqAccess<'de>>(self, items: A) -> Result<Self::Value, A::Error> {
                Vec::deserialize(SeqAccessDeserializer::new(items)).map(Tables)
            }
        }
        deserializer.deserialize_any(TablesVisitor(PhantomData))
    }
}

/// A table whose keys are known only to whom it is meant for, in the order of the file.
#[derive(Debug)]
pub(crate) struct Entries<T>(pub(crate) Vec<(Spanned<String>, T)>);

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
pub(super) enum WireStrategy {
    /// With the options at their defaults; `*` is every strategy.
    Name(String),
    /// With options, whose lists multiply out.
    Table { name: Spanned<String>, options: Entries<Factor<Scalar>> },
}

impl Element for WireStrategy {
    const EXPECTED: &'static str = "a name in quotes, a table such as { name = \"pool\" },";
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

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<WireStrategy, A::Error> {
                let mut name = None;
                let mut options: Vec<(Spanned<String>, Factor<Scalar>)> = Vec::new();
                while let Some(key) = map.next_key::<Spanned<String>>()? {
                    if key.get_ref() == "name" {
                        name = Some(map.next_value()?);
                    } else {
                        options.push((key, map.next_value()?));
                    }
                }
                options.sort_by_key(|(key, _)| key.span().start);
                Ok(WireStrategy::Table {
                    name: name.ok_or_else(|| de::Error::missing_field("name"))?,
                    options: Entries(options),
                })
            }
        }
        deserializer.deserialize_any(StrategyVisitor)
    }
}
