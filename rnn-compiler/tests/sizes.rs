//! Sizes are polynomials in normal form: equal sizes compare equal, however they were written.

use proptest::prelude::*;
use rnn_compiler::cell::size::Size;

/// A size as written, and its value where `A` is 3, `b::B` is 5.
#[derive(Clone, Debug)]
struct Written {
    size: Size,
    value: usize,
}

fn size() -> impl Strategy<Value = Written> {
    let constant = |text: &str| Size::constant(syn::parse_str(text).unwrap());
    let leaf = prop_oneof![
        (0usize..7).prop_map(|n| Written {
            size: Size::known(n),
            value: n
        }),
        Just(Written {
            size: constant("A"),
            value: 3
        }),
        Just(Written {
            size: constant("b::B"),
            value: 5
        }),
    ];
    leaf.prop_recursive(4, 16, 2, |inner| {
        (inner.clone(), inner, any::<bool>()).prop_map(|(a, b, plus)| match plus {
            true => Written {
                size: &a.size + &b.size,
                value: a.value + b.value,
            },
            false => Written {
                size: &a.size * &b.size,
                value: a.value * b.value,
            },
        })
    })
}

/// The value of an expression of sums and products, as Rust would compute it.
fn evaluate(e: &syn::Expr) -> usize {
    match e {
        syn::Expr::Lit(l) => match &l.lit {
            syn::Lit::Int(n) => n.base10_parse().unwrap(),
            other => panic!("{other:?}"),
        },
        syn::Expr::Path(p) => match p.path.segments.last().unwrap().ident.to_string().as_str() {
            "A" => 3,
            "B" => 5,
            other => panic!("{other}"),
        },
        syn::Expr::Paren(p) => evaluate(&p.expr),
        syn::Expr::Binary(b) => match b.op {
            syn::BinOp::Add(_) => evaluate(&b.left) + evaluate(&b.right),
            syn::BinOp::Mul(_) => evaluate(&b.left) * evaluate(&b.right),
            other => panic!("{other:?}"),
        },
        other => panic!("{other:?}"),
    }
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn the_code_of_a_size_has_its_value(a in size()) {
        let e: syn::Expr = syn::parse2(a.size.tokens()).unwrap();
        prop_assert_eq!(evaluate(&e), a.value);
        if let Some(n) = a.size.value() {
            prop_assert_eq!(n, a.value);
        }
    }

    #[test]
    fn laws_of_arithmetic(a in size(), b in size(), c in size()) {
        let (a, b, c) = (&a.size, &b.size, &c.size);
        prop_assert_eq!(a + b, b + a);
        prop_assert_eq!(a * b, b * a);
        prop_assert_eq!(&(a + b) + c, a + &(b + c));
        prop_assert_eq!(&(a * b) * c, a * &(b * c));
        prop_assert_eq!(a * &(b + c), &(a * b) + &(a * c));
        prop_assert_eq!(&(a + &Size::known(0)), a);
        prop_assert_eq!(&(a * &Size::known(1)), a);
        prop_assert_eq!((a + b).to_string(), (b + a).to_string());
    }

    #[test]
    fn division_takes_back_a_multiplication(a in size(), n in 1usize..9) {
        prop_assert_eq!((&a.size * &Size::known(n)).divide(n), Some(a.size.clone()));
        prop_assert_eq!(a.size.divide(0), None);
        if let Some(part) = a.size.divide(n) {
            prop_assert_eq!(&part * &Size::known(n), a.size);
        }
    }
}
