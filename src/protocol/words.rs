//! Enums whose values are words: in files, in rows, on the command line.

/// An enum that [`words!`](crate::words) has declared.
pub trait Word: Copy + 'static {
    /// All values, in their order.
    const WORDS: &'static [Self];

    /// The word for it.
    fn word(self) -> &'static str;
}

/// Declares an enum with a word for each value. It gets `ALL`, `name`, `by_name`, `Display`, and
/// is written and read by serde as its word.
#[macro_export]
macro_rules! words {
    (
        $(#[$meta:meta])*
        $vis:vis enum $name:ident {
            $($(#[$doc:meta])* $value:ident = $word:literal,)+
        }
    ) => {
        $(#[$meta])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
        $vis enum $name {
            $($(#[$doc])* $value,)+
        }

        #[allow(dead_code, reason = "not every enum needs all of these")]
        impl $name {
            /// All values, in their order.
            $vis const ALL: [$name; [$($word),+].len()] = [$($name::$value),+];

            /// The word for it.
            $vis fn name(self) -> &'static str {
                match self {
                    $($name::$value => $word,)+
                }
            }

            /// The value of this word.
            $vis fn by_name(name: &str) -> Option<$name> {
                $name::ALL.into_iter().find(|value| value.name() == name)
            }
        }

        impl $crate::protocol::words::Word for $name {
            const WORDS: &'static [$name] = &$name::ALL;

            fn word(self) -> &'static str {
                self.name()
            }
        }

        impl ::std::fmt::Display for $name {
            fn fmt(&self, f: &mut ::std::fmt::Formatter<'_>) -> ::std::fmt::Result {
                f.pad(self.name())
            }
        }

        impl ::serde::Serialize for $name {
            fn serialize<S: ::serde::Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
                to.serialize_str(self.name())
            }
        }

        impl<'de> ::serde::Deserialize<'de> for $name {
            fn deserialize<D: ::serde::Deserializer<'de>>(from: D) -> Result<$name, D::Error> {
                let word = <::std::borrow::Cow<'de, str>>::deserialize(from)?;
                $name::by_name(&word).ok_or_else(|| {
                    ::serde::de::Error::unknown_variant(&word, &[$($word),+])
                })
            }
        }
    };
}

#[cfg(test)]
mod tests {
    crate::words! {
        /// Of this test.
        #[derive(Default)]
        enum Fruit {
            /// The default.
            #[default]
            Apple = "apple",
            /// Another.
            BlackBerry = "black-berry",
        }
    }

    #[test]
    fn words_round_trip_and_others_are_refused() {
        assert_eq!(Fruit::default(), Fruit::ALL[0]);
        for fruit in Fruit::ALL {
            assert_eq!(Fruit::by_name(fruit.name()), Some(fruit));
            let json = serde_json::to_string(&fruit).unwrap();
            assert_eq!(serde_json::from_str::<Fruit>(&json).unwrap(), fruit);
        }
        assert_eq!(format!("{:>12}", Fruit::BlackBerry), " black-berry");
        let error = serde_json::from_str::<Fruit>("\"pear\"").unwrap_err().to_string();
        assert!(error.contains("unknown variant `pear`, expected `apple` or"), "{error}");
    }
}
