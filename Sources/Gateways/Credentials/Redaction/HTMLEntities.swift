/// The named characters of HTML that libraries write: those that markup needs, punctuation of ASCII, and Latin-1.
enum HTMLEntities {
    static let nameBytesMax = 7

    static let values: [String: UInt32] = {
        var values: [String: UInt32] = [
            "amp": 0x26, "lt": 0x3c, "gt": 0x3e, "quot": 0x22, "apos": 0x27, "AMP": 0x26, "LT": 0x3c, "GT": 0x3e,
            "QUOT": 0x22, "excl": 0x21, "num": 0x23, "dollar": 0x24, "percnt": 0x25, "lpar": 0x28, "rpar": 0x29,
            "ast": 0x2a, "plus": 0x2b, "comma": 0x2c, "period": 0x2e, "sol": 0x2f, "colon": 0x3a, "semi": 0x3b,
            "equals": 0x3d, "quest": 0x3f, "commat": 0x40, "lsqb": 0x5b, "lbrack": 0x5b, "bsol": 0x5c, "rsqb": 0x5d,
            "rbrack": 0x5d, "Hat": 0x5e, "lowbar": 0x5f, "grave": 0x60, "lcub": 0x7b, "lbrace": 0x7b, "verbar": 0x7c,
            "vert": 0x7c, "rcub": 0x7d, "rbrace": 0x7d, "Tab": 0x09, "NewLine": 0x0a,
        ]
        for (offset, name) in latin1.split(separator: " ").enumerated() { values[String(name)] = 0xa0 + UInt32(offset) }
        return values
    }()

    /// From U+00A0 to U+00FF.
    private static let latin1 =
        "nbsp iexcl cent pound curren yen brvbar sect uml copy ordf laquo not shy reg macr "
        + "deg plusmn sup2 sup3 acute micro para middot cedil sup1 ordm raquo frac14 frac12 frac34 iquest "
        + "Agrave Aacute Acirc Atilde Auml Aring AElig Ccedil Egrave Eacute Ecirc Euml Igrave Iacute Icirc Iuml "
        + "ETH Ntilde Ograve Oacute Ocirc Otilde Ouml times Oslash Ugrave Uacute Ucirc Uuml Yacute THORN szlig "
        + "agrave aacute acirc atilde auml aring aelig ccedil egrave eacute ecirc euml igrave iacute icirc iuml "
        + "eth ntilde ograve oacute ocirc otilde ouml divide oslash ugrave uacute ucirc uuml yacute thorn yuml"
}
