extension SplitPattern {
  /// The scanner that does what a regular expression of a known family does; nil for other patterns.
  ///
  /// The expression is taken apart at its top-level bars and each part looked up, so that the variants
  /// models come with (digits alone or by threes, with marks, without contractions) need no list.
  init?(knownRegex: String) {
    var parts = Self.alternatives(of: knownRegex)[...]
    func take(_ part: String) -> Bool {
      guard parts.first == part else { return false }
      parts.removeFirst()
      return true
    }
    func takes(_ sequence: [String]) -> Bool {
      guard parts.starts(with: sequence) else { return false }
      parts.removeFirst(sequence.count)
      return true
    }

    if takes(["'s", "'t", "'re", "'ve", "'m", "'ll", "'d", " ?\\p{L}+", " ?\\p{N}+", " ?[^\\s\\p{L}\\p{N}]+"])
    {
      guard take("\\s+(?!\\S)") else { return nil }
      let scanner = GPT2Scanner(matchesLoneSpace: take("\\s+"))
      guard parts.isEmpty else { return nil }
      self = .gpt2(scanner)
      return
    }
    var scanner = WordScanner()
    if let first = parts.first, let contractions = Self.contractions[first] {
      scanner.contractions = contractions
      parts.removeFirst()
    }
    if take(Self.deepSeekSymbolWord) {
      scanner.symbolWords = true
    }
    var cased: Contractions?
    if let first = parts.first, let suffix = Self.casedWords[first] {
      guard scanner == WordScanner(), parts.dropFirst().first == suffix.second else { return nil }
      parts.removeFirst(2)
      cased = suffix.contractions
      scanner.word = []
    } else if take("[^\\r\\n\\p{L}\\p{N}]?\\p{L}+") {
    } else if take("[^\\r\\n\\p{L}\\p{N}]?[\\p{L}\\p{M}]+") {
      scanner.word = [.letter, .mark]
    } else if take("[^\r\n\\p{L}\\p{P}\\p{S}]?[\\p{L}\\p{M}]+")
      || take("[^\\r\\n\\p{L}\\p{P}\\p{S}]?[\\p{L}\\p{M}]+")
    {
      scanner.word = [.letter, .mark]
      scanner.notPrefix = [.letter, .punctuation, .symbol]
    } else {
      return nil
    }
    if let first = parts.first, let digits = Self.digits[first] {
      scanner.digits = digits
      parts.removeFirst()
    }
    guard let first = parts.first, let symbols = Self.symbols[first.withNewlineEscapes()] else { return nil }
    (scanner.symbols, scanner.tail) = symbols
    parts.removeFirst()
    scanner.newlines = take("\\s*[\\r\\n]+") || take("\\s*[\r\n]+")
    guard takes(["\\s+(?!\\S)", "\\s+"]), parts.isEmpty else { return nil }
    if let cased {
      self = .casedWords(CasedWordScanner(contractions: cased, rest: scanner))
    } else {
      self = .words(scanner)
    }
  }

  private static let contractions: [String: Contractions] = [
    "(?i:'s|'t|'re|'ve|'m|'ll|'d)": .anyCase,
    "'(?i:[sdmt]|ll|ve|re)": .anyCase,
    "(?:'[sS]|'[tT]|'[rR][eE]|'[vV][eE]|'[mM]|'[lL][lL]|'[dD])": .asciiCase,
  ]

  private static let deepSeekSymbolWord = "[!\"#$%&'()*+,\\-./:;<=>?@\\[\\\\\\]^_`{|}~][A-Za-z]+"

  private static let digits: [String: Int] = [
    "\\p{N}": 1, "\\p{N}{1}": 1, "\\p{N}{1,2}": 2, "\\p{N}{1,3}": 3, "\\p{N}+": .max,
  ]

  private static let symbols: [String: (CategoryMask, WordScanner.Tail)] = {
    let rest = CategoryMask.all.subtracting([.letter, .number])
    let withoutMarks = rest.subtracting(.mark)
    let symbols: CategoryMask = [.punctuation, .symbol]
    return [
      " ?[^\\s\\p{L}\\p{N}]+": (rest, .none),
      " ?[^\\s\\p{L}\\p{N}\\r\\n]+": (rest, .none),
      " ?[^\\s\\p{L}\\p{N}]+[\\r\\n]*": (rest, .newlines),
      " ?[^\\s\\p{L}\\p{N}]+[\\r\\n/]*": (rest, .newlinesAndSlash),
      " ?[^\\s\\p{L}\\p{M}\\p{N}]+[\\r\\n]*": (withoutMarks, .newlines),
      " ?[\\p{P}\\p{S}]+[\\r\\n]*": (symbols, .newlines),
    ]
  }()

  /// The two word alternatives of the o200k family by their first.
  private static let casedWords: [String: (second: String, contractions: Contractions)] = {
    let upper = "[\\p{Lu}\\p{Lt}\\p{Lm}\\p{Lo}\\p{M}]"
    let lower = "[\\p{Ll}\\p{Lm}\\p{Lo}\\p{M}]"
    let prefix = "[^\\r\\n\\p{L}\\p{N}]?"
    var result: [String: (second: String, contractions: Contractions)] = [:]
    for (group, kind) in [("", Contractions.none)] + contractions.map({ ($0.key + "?", $0.value) })
    where !group.hasPrefix("'") {
      let second = prefix + upper + "+" + lower + "*" + group
      result[prefix + upper + "*" + lower + "+" + group] = (second, kind)
    }
    return result
  }()

  /// The parts of a regular expression between its top-level bars.
  private static func alternatives(of regex: String) -> [String] {
    var parts: [String] = []
    var part = String.UnicodeScalarView()
    var (depth, isClass, isEscaped) = (0, false, false)
    for scalar in regex.unicodeScalars {
      if scalar == "|", depth == 0, !isClass, !isEscaped {
        parts.append(String(part))
        part = String.UnicodeScalarView()
        continue
      }
      part.append(scalar)
      if isEscaped {
        isEscaped = false
        continue
      }
      switch scalar {
      case "\\": isEscaped = true
      case "[": isClass = true
      case "]": isClass = false
      case "(" where !isClass: depth += 1
      case ")" where !isClass: depth -= 1
      default: break
      }
    }
    return parts + [String(part)]
  }
}

extension String {
  /// Raw carriage returns and newlines as the escapes for them.
  fileprivate func withNewlineEscapes() -> String {
    var result = String.UnicodeScalarView()
    for scalar in unicodeScalars {
      switch scalar {
      case "\r": result.append(contentsOf: "\\r".unicodeScalars)
      case "\n": result.append(contentsOf: "\\n".unicodeScalars)
      default: result.append(scalar)
      }
    }
    return String(result)
  }
}
