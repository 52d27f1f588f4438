extension Unicode.Scalar {
  /// Python's `str.isspace` for one scalar, which is also `\s` of its regular expressions.
  var isPythonSpace: Bool {
    switch value {
    case 0x09...0x0D, 0x1C...0x20, 0x85, 0xA0, 0x1680, 0x2000...0x200A, 0x2028, 0x2029, 0x202F, 0x205F,
      0x3000:
      true
    default: false
    }
  }

  /// The line boundaries of `str.splitlines`.
  var isPythonLineBreak: Bool {
    switch value {
    case 0x0A...0x0D, 0x1C...0x1E, 0x85, 0x2028, 0x2029: true
    default: false
    }
  }

  var isPythonAlpha: Bool {
    if value < 0x80 { return (0x41...0x5A).contains(value) || (0x61...0x7A).contains(value) }
    switch properties.generalCategory {
    case .uppercaseLetter, .lowercaseLetter, .titlecaseLetter, .modifierLetter, .otherLetter: return true
    default: return false
    }
  }
  var isPythonDecimal: Bool { properties.numericType == .decimal }
  var isPythonDigit: Bool { properties.numericType == .decimal || properties.numericType == .digit }
  var isPythonNumeric: Bool { properties.numericType != nil }
  var isPythonAlnum: Bool { isPythonAlpha || isPythonNumeric }
  /// `\w` of Python's regular expressions.
  var isWord: Bool { isPythonAlnum || value == 0x5F }
  var isPythonTitle: Bool { properties.generalCategory == .titlecaseLetter }

  /// Python's `str.isprintable` for one scalar.
  var isPythonPrintable: Bool {
    if value < 0x7F { return value >= 0x20 }
    switch properties.generalCategory {
    case .control, .format, .surrogate, .privateUse, .unassigned, .lineSeparator, .paragraphSeparator,
      .spaceSeparator:
      return false
    default: return true
    }
  }
}

extension Text {
  func uppercased() -> Text {
    if isASCII { return Text(bytes: bytes.map { (0x61...0x7A).contains($0) ? $0 - 32 : $0 }) }
    return Text(scalars.flatMap { Array($0.properties.uppercaseMapping.unicodeScalars) })
  }

  func lowercased() -> Text {
    if isASCII { return Text(bytes: bytes.map { (0x41...0x5A).contains($0) ? $0 + 32 : $0 }) }
    let scalars = self.scalars
    return Text(scalars.indices.flatMap { Text.lowercase(scalars, at: $0) })
  }

  /// Lower case of one scalar in its context: a final capital sigma becomes `ς`.
  private static func lowercase(_ scalars: [Unicode.Scalar], at index: Int) -> [Unicode.Scalar] {
    guard scalars[index].value == 0x3A3 else {
      return Array(scalars[index].properties.lowercaseMapping.unicodeScalars)
    }
    let before = scalars[..<index].last { !$0.properties.isCaseIgnorable }
    let after = scalars[(index + 1)...].first { !$0.properties.isCaseIgnorable }
    let isFinal = before?.properties.isCased == true && after?.properties.isCased != true
    return [isFinal ? "\u{3C2}" : "\u{3C3}"]
  }

  /// Python's `capitalize`: title case first, lower case after.
  func capitalized() -> Text {
    let scalars = self.scalars
    return Text(
      scalars.indices.flatMap {
        $0 == 0
          ? Array(scalars[0].properties.titlecaseMapping.unicodeScalars)
          : Text.lowercase(scalars, at: $0)
      })
  }

  /// Python's `title`: every run of cased letters capitalised.
  func titlecased() -> Text {
    let scalars = self.scalars
    var result = Text()
    var afterCased = false
    for index in scalars.indices {
      let scalar = scalars[index]
      let mapped =
        afterCased
        ? Text.lowercase(scalars, at: index) : Array(scalar.properties.titlecaseMapping.unicodeScalars)
      for scalar in mapped { result.append(scalar: scalar) }
      afterCased = scalar.properties.isCased
    }
    return result
  }

  func swappedCase() -> Text {
    let scalars = self.scalars
    return Text(
      scalars.indices.flatMap { index -> [Unicode.Scalar] in
        let properties = scalars[index].properties
        if properties.isUppercase { return Text.lowercase(scalars, at: index) }
        if properties.isLowercase { return Array(properties.uppercaseMapping.unicodeScalars) }
        return [scalars[index]]
      })
  }

  var isLower: Bool { allCased { $0.properties.isLowercase } }
  var isUpper: Bool { allCased { $0.properties.isUppercase } }

  private func allCased(_ matches: (Unicode.Scalar) -> Bool) -> Bool {
    var found = false
    for scalar in scalars {
      if matches(scalar) {
        found = true
      } else if scalar.properties.isLowercase || scalar.properties.isUppercase || scalar.isPythonTitle {
        return false
      }
    }
    return found
  }

  var isTitle: Bool {
    var found = false
    var afterCased = false
    for scalar in scalars {
      if scalar.properties.isUppercase || scalar.isPythonTitle {
        if afterCased { return false }
        (afterCased, found) = (true, true)
      } else if scalar.properties.isLowercase {
        if !afterCased { return false }
        found = true
      } else {
        afterCased = false
      }
    }
    return found
  }

  /// Whether the text is not empty and all its scalars match.
  func all(_ matches: (Unicode.Scalar) -> Bool) -> Bool { !isEmpty && scalars.allSatisfy(matches) }
}
