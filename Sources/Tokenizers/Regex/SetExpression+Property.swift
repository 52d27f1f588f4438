extension SetExpression {
  /// The set that a property, script or POSIX class name stands for, compared as Unicode asks: without
  /// case, spaces, hyphens and underscores. Nil when the name is not known.
  init?(property name: String) {
    var key = ""
    for scalar in name.unicodeScalars where !"_- ".unicodeScalars.contains(scalar) {
      key += scalar.properties.lowercaseMapping
    }
    if let categories = Self.categoryNames[key] {
      self = .categories(categories)
    } else if let script = UnicodeScript(rawValue: key) {
      self = .script(script)
    } else if let set = Self.otherProperty(key) {
      self = set
    } else {
      return nil
    }
  }

  private static func otherProperty(_ key: String) -> SetExpression? {
    switch key {
    case "any": .any
    case "ascii": .range(0, 0x7F)
    case "assigned": .not(.categories(.unassigned))
    case "alpha", "alphabetic": .alphabetic
    case "alnum": .union([.alphabetic, .categories(.decimalNumber)])
    case "digit": .categories(.decimalNumber)
    case "word": .word
    case "space", "whitespace": .space
    case "blank": .union([.categories(.spaceSeparator), .range(0x09, 0x09)])
    case "upper": .categories(.uppercaseLetter)
    case "lower": .categories(.lowercaseLetter)
    case "cntrl": .categories(.control)
    case "xdigit": .union([.range(0x30, 0x39), .range(0x41, 0x46), .range(0x61, 0x66)])
    case "punct":
      .union([
        .categories(.punctuation), .scalar(0x24), .scalar(0x2B), .range(0x3C, 0x3E), .scalar(0x5E),
        .scalar(0x60), .scalar(0x7C), .scalar(0x7E),
      ])
    case "emoji": .emoji
    default: nil
    }
  }

  private static let categoryNames: [String: CategoryMask] = [
    "l": .letter, "letter": .letter, "lc": .casedLetter, "casedletter": .casedLetter,
    "lu": .uppercaseLetter, "uppercaseletter": .uppercaseLetter,
    "ll": .lowercaseLetter, "lowercaseletter": .lowercaseLetter,
    "lt": .titlecaseLetter, "titlecaseletter": .titlecaseLetter,
    "lm": .modifierLetter, "modifierletter": .modifierLetter,
    "lo": .otherLetter, "otherletter": .otherLetter,
    "m": .mark, "mark": .mark, "combiningmark": .mark,
    "mn": .nonspacingMark, "nonspacingmark": .nonspacingMark,
    "mc": .spacingMark, "spacingmark": .spacingMark,
    "me": .enclosingMark, "enclosingmark": .enclosingMark,
    "n": .number, "number": .number,
    "nd": .decimalNumber, "decimalnumber": .decimalNumber,
    "nl": .letterNumber, "letternumber": .letterNumber,
    "no": .otherNumber, "othernumber": .otherNumber,
    "p": .punctuation, "punctuation": .punctuation,
    "pc": .connectorPunctuation, "connectorpunctuation": .connectorPunctuation,
    "pd": .dashPunctuation, "dashpunctuation": .dashPunctuation,
    "ps": .openPunctuation, "openpunctuation": .openPunctuation,
    "pe": .closePunctuation, "closepunctuation": .closePunctuation,
    "pi": .initialPunctuation, "initialpunctuation": .initialPunctuation,
    "pf": .finalPunctuation, "finalpunctuation": .finalPunctuation,
    "po": .otherPunctuation, "otherpunctuation": .otherPunctuation,
    "s": .symbol, "symbol": .symbol,
    "sm": .mathSymbol, "mathsymbol": .mathSymbol,
    "sc": .currencySymbol, "currencysymbol": .currencySymbol,
    "sk": .modifierSymbol, "modifiersymbol": .modifierSymbol,
    "so": .otherSymbol, "othersymbol": .otherSymbol,
    "z": .separator, "separator": .separator,
    "zs": .spaceSeparator, "spaceseparator": .spaceSeparator,
    "zl": .lineSeparator, "lineseparator": .lineSeparator,
    "zp": .paragraphSeparator, "paragraphseparator": .paragraphSeparator,
    "c": .other, "other": .other,
    "cc": .control, "control": .control,
    "cf": .format, "format": .format,
    "cs": .surrogate, "surrogate": .surrogate,
    "co": .privateUse, "privateuse": .privateUse,
    "cn": .unassigned, "unassigned": .unassigned,
  ]
}
