//! From a method and a path to what handles it.

use crate::Method;

/// A method, a pattern and what it leads to.
///
/// A pattern is a path whose segments are texts, `{name}` for any one segment that is not empty, or, at the end,
/// `{name...}` for the rest of the path, which may be empty.
#[derive(Clone, Copy, Debug)]
pub struct Route<'r, T> {
    /// The method; a route for `GET` serves `HEAD` too.
    pub method: Method,
    /// The pattern.
    pub pattern: &'r str,
    /// What it leads to.
    pub target: T,
}

/// A table of routes. The first that matches wins, so the special ones stand before the general ones.
///
/// ```
/// use mirage_http::{Match, Method, Route, Router};
///
/// enum To { Bytes, File }
/// let router = Router::new(&[
///     Route { method: Method::Get, pattern: "/bytes/{n}", target: To::Bytes },
///     Route { method: Method::Get, pattern: "/{path...}", target: To::File },
/// ]);
/// let Match::Found(To::Bytes, parameters) = router.find(Method::Get, "/bytes/100") else { panic!() };
/// assert_eq!(parameters.get("n"), Some("100"));
/// assert!(matches!(router.find(Method::Post, "/"), Match::MethodNotAllowed(_)));
/// ```
#[derive(Clone, Copy, Debug)]
pub struct Router<'r, T> {
    routes: &'r [Route<'r, T>],
}

/// Where a request goes.
#[derive(Debug)]
pub enum Match<'r, 'p, T> {
    /// There.
    Found(&'r T, Parameters<'r, 'p>),
    /// Nowhere with this method: 405, and these are allowed.
    MethodNotAllowed(Allow),
    /// Nowhere: 404.
    NotFound,
}

/// The parts of a path that stand where the pattern has names.
#[derive(Clone, Copy, Debug)]
pub struct Parameters<'r, 'p> {
    pattern: &'r str,
    path: &'p str,
}

/// The methods that some route for a path has, and `OPTIONS`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Allow(u16);

impl<'r, T> Router<'r, T> {
    /// A router over `routes`.
    pub const fn new(routes: &'r [Route<'r, T>]) -> Self {
        Self { routes }
    }

    /// Where a request of this method for this path goes; `path` is as sent or decoded, as the patterns are.
    pub fn find<'p>(&self, method: Method, path: &'p str) -> Match<'r, 'p, T> {
        let mut allowed = 0_u16;
        for route in self.routes {
            if !begins_like(path, route.pattern) || walk(route.pattern, path, None).is_none() {
                continue;
            }
            let serves = |method: Method| route.method == method;
            if serves(method) || method == Method::Head && serves(Method::Get) {
                return Match::Found(&route.target, Parameters { pattern: route.pattern, path });
            }
            allowed |= 1 << route.method as u8;
        }
        if allowed == 0 {
            return Match::NotFound;
        }
        if allowed & 1 << Method::Get as u8 != 0 {
            allowed |= 1 << Method::Head as u8;
        }
        Match::MethodNotAllowed(Allow(allowed | 1 << Method::Options as u8))
    }
}

impl<'p> Parameters<'_, 'p> {
    /// The part of the path that stands for `name`.
    pub fn get(&self, name: &str) -> Option<&'p str> {
        walk(self.pattern, self.path, Some(name))
    }
}

impl Allow {
    /// The value of the field `Allow`, in `text`.
    pub fn write(self, text: &mut [u8; 72]) -> &[u8] {
        let mut writer = crate::writer::Writer::new(text);
        let mut comma: &[u8] = b"";
        for method in Method::ALL {
            if self.0 & 1 << method as u8 != 0 {
                writer.put(comma);
                writer.put(method.as_str().as_bytes());
                comma = b", ";
            }
        }
        let length = writer.finish().unwrap_or(0);
        text.get(..length).unwrap_or_default()
    }
}

/// Whether `path` is like `pattern` up to the first part that has a name: most patterns of a table are told apart so.
fn begins_like(path: &str, pattern: &str) -> bool {
    let (path, pattern) = (path.as_bytes(), pattern.as_bytes());
    let same = pattern.iter().zip(path).take_while(|(one, other)| one == other && **one != b'{').count();
    pattern.get(same) == Some(&b'{') || (same == pattern.len() && same == path.len())
}

/// Compares segment by segment, and says which part of `path` stands for `wanted`; `None` where they differ or there is no such
/// name. Without a name it is nothing that is said where they do not.
#[inline(never)]
fn walk<'p>(mut pattern: &str, mut path: &'p str, wanted: Option<&str>) -> Option<&'p str> {
    loop {
        let (segment, pattern_rest) = cut(pattern);
        let (part, path_rest) = cut(path);
        if let Some(name) = segment.strip_prefix('{').and_then(|name| name.strip_suffix('}')) {
            let (name, part, rest) = match name.strip_suffix("...") {
                Some(name) => (name, path, true),
                None if part.is_empty() => return None,
                None => (name, part, false),
            };
            if wanted == Some(name) {
                return Some(part);
            }
            if rest {
                return if wanted.is_none() { Some("") } else { None };
            }
        } else if segment != part {
            return None;
        }
        match (pattern_rest, path_rest) {
            (None, None) if wanted.is_none() => return Some(""),
            (Some(next), Some(rest)) => (pattern, path) = (next, rest),
            _ => return None,
        }
    }
}

fn cut(path: &str) -> (&str, Option<&str>) {
    match crate::cut::once(path, b'/') {
        Some((segment, rest)) => (segment, Some(rest)),
        None => (path, None),
    }
}
