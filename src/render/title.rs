//! Capitals as Go's `cases.Title` for American English sets them, which is Alertmanager's
//! `title`: the first letter of each word is a capital, the others are not.
//!
//! Words end as Unicode says: not at an apostrophe, a full stop or a colon between letters,
//! and not at an underscore.

/// The text in title case.
pub(super) fn title(text: &str) -> String {
    let mut result = String::with_capacity(text.len());
    let mut word = String::new();
    let mut after_mid = false;
    for c in text.chars() {
        let mid = is_mid(c);
        if (mid && after_mid) || (!mid && !continues(c)) {
            push_word(&mut result, &word);
            word.clear();
            result.push(c);
        } else {
            word.push(c);
        }
        after_mid = mid;
    }
    push_word(&mut result, &word);
    result
}

/// Stands within a word, where a letter is on both sides.
fn is_mid(c: char) -> bool {
    matches!(
        c,
        '\'' | '.' | ':' | '·' | '‘' | '’' | '․' | '﹒' | '＇' | '．' | '：'
    )
}

/// Whether a word goes on with this: letters, digits, joining punctuation, marks.
fn continues(c: char) -> bool {
    c.is_alphanumeric()
        || matches!(c, '_' | '\u{ad}' | '\u{300}'..='\u{36f}' | '\u{200c}' | '\u{200d}' | '\u{fe00}'..='\u{fe0f}')
}

fn push_word(result: &mut String, word: &str) {
    let cased = |c: char| c.is_uppercase() || c.is_lowercase() || is_title(c);
    let Some(first) = word.find(cased) else {
        result.push_str(word);
        return;
    };
    let (before, rest) = word.split_at(first);
    result.push_str(before);
    let Some(first) = rest.chars().next() else {
        return;
    };
    push_title(result, first);
    // Lowered as a whole: a final sigma is one only at the end of a word.
    let lower = rest.to_lowercase();
    let skip: usize = first.to_lowercase().map(char::len_utf8).sum();
    result.push_str(lower.get(skip..).unwrap_or_default());
}

/// The letters that are written as two have a form of their own for this.
fn push_title(result: &mut String, c: char) {
    match c {
        'Ǆ'..='ǆ' => result.push('ǅ'),
        'Ǉ'..='ǉ' => result.push('ǈ'),
        'Ǌ'..='ǌ' => result.push('ǋ'),
        'Ǳ'..='ǳ' => result.push('ǲ'),
        _ => {
            let mut upper = c.to_uppercase();
            result.extend(upper.next());
            result.extend(upper.flat_map(char::to_lowercase));
        }
    }
}

fn is_title(c: char) -> bool {
    matches!(c, 'ǅ' | 'ǈ' | 'ǋ' | 'ǲ')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn capitals_stand_where_go_sets_them() {
        // The expected results are those of golang.org/x/text/cases.
        for (text, expected) in [
            ("aa bb CC", "Aa Bb Cc"),
            ("don't stop", "Don't Stop"),
            ("foo-bar foo_bar a/b a,b", "Foo-Bar Foo_bar A/B A,B"),
            ("x.y a:b", "X.y A:b"),
            ("a..b a'.b", "A..B A'.B"),
            ("3d print 1st x1y 5,a", "3D Print 1St X1y 5,A"),
            ("KubePodCrashLooping", "Kubepodcrashlooping"),
            ("ÜBER straße", "Über Straße"),
            ("ǆabc ﬁsh", "ǅabc Fish"),
            ("it’s a 'quoted' b", "It’s A 'Quoted' B"),
            ("e.g. this", "E.g. This"),
            ("ΑΣ ΟΔΟΣ", "Ας Οδος"),
            ("_a b_c @home", "_A B_c @Home"),
            ("a\u{301}b", "A\u{301}b"),
            ("日本go", "日本Go"),
            ("", ""),
        ] {
            assert_eq!(title(text), expected);
        }
    }
}
