import IngotCore

/// How the pieces of a byte-level GGUF vocabulary come about: the meaning of `tokenizer.ggml.pre`.
///
/// Source: llama.cpp b6000 and later, `llama-vocab.cpp`, for which name means which pattern; the patterns
/// as the models' own `tokenizer.json` has them where llama.cpp writes an equivalent.
struct GGUFPreTokenizer {
  /// Patterns, each applied to the pieces that those before it left.
  private(set) var patterns: [String]
  /// Whether a piece that is a token skips the merges.
  private(set) var ignoresMerges = false
  /// Whether texts begin with the token for it when the file does not say.
  private(set) var addsBOS = false
  /// Whether the models' own tokenizer composes characters first.
  private(set) var composes = false

  /// - Throws: `.unsupported` for an unknown name.
  init(name: String) throws(IngotError) {
    switch name {
    case "", "default": patterns = Self.standard
    case "gpt-2", "phi-2", "jina-es", "jina-de", "jina-v2-es", "jina-v2-de", "jina-v1-en", "jina-v2-code",
      "roberta-bpe", "gigachat", "a.x-4.0", "mellum", "modern-bert", "mpt", "olmo", "jais", "trillion",
      "granite-docling", "exaone4":
      patterns = [PreTokenizer.gpt2Pattern]
    case "starcoder", "refact", "command-r", "smollm", "codeshell", "exaone", "minerva-7b", "mellum2":
      patterns = ["\\p{N}", PreTokenizer.gpt2Pattern]
    case "llama3", "llama-v3", "llama-bpe", "falcon3", "falcon-h1", "pixtral", "midm-2.0", "lfm2",
      "jina-v5-nano":
      patterns = [Self.words(digits: "\\p{N}{1,3}")]
      (ignoresMerges, addsBOS) = (true, true)
    case "dbrx", "smaug-bpe", "chatglm-bpe": patterns = [Self.words(digits: "\\p{N}{1,3}")]
    case "glm4", "glm5":
      patterns = [Self.words(digits: "\\p{N}{1,3}")]
      ignoresMerges = true
    case "qwen2":
      patterns = [Self.words(digits: "\\p{N}")]
      composes = true
    case "stablelm2", "deepseek-r1-qwen", "kormo", "f2llmv2", "megrez", "hunyuan", "solar-open", "grok-2":
      patterns = [Self.words(digits: "\\p{N}")]
    case "qwen35":
      patterns = [
        Self.contractions
          + "|[^\\r\\n\\p{L}\\p{N}]?[\\p{L}\\p{M}]+|\\p{N}| ?[^\\s\\p{L}\\p{M}\\p{N}]+[\\r\\n]*"
          + "|\\s*[\\r\\n]+|\\s+(?!\\S)|\\s+"
      ]
      composes = true
    case "minicpm5":
      patterns = ["\\p{N}{1,3}", Self.words(digits: "\\p{N}+")]
      ignoresMerges = true
    case "ufakzeka":
      patterns = [
        "[^\\r\\n\\p{L}\\p{N}]?\\p{L}+|\\p{N}| ?[^\\s\\p{L}\\p{N}]+[\\r\\n]*|\\s*[\\r\\n]+|\\s+(?!\\S)|\\s+"
      ]
    case "seed-coder":
      patterns = [
        Self.contractions
          + "|[^\\r\\n\\p{L}\\p{N}]?\\p{L}+|\\p{N}{1}| ?[^\\s\\p{L}\\p{N}\\r\\n]+|\\s*[\\r\\n]+"
          + "|\\s+(?!\\S)|\\s+"
      ]
    case "bailingmoe", "bailingmoe2", "llada-moe":
      patterns = [
        "'(?i:[sdmt]|ll|ve|re)|[^\\r\\n\\p{L}\\p{N}]?+\\p{L}+|\\p{N}| ?[^\\s\\p{L}\\p{N}]++[\\r\\n]*"
          + "|\\s*[\\r\\n]|\\s+(?!\\S)|\\s+"
      ]
    case "exaone-moe":
      patterns = [
        Self.contractions + "|[^\\r\\n\\p{L}\\p{N}]?(?:\\p{L}\\p{M}*(?: \\p{L}\\p{M}*)*)+|\\p{N}"
          + "| ?[^\\s\\p{L}\\p{N}]+[\\r\\n/]?|\\s*[\\r\\n]|\\s+(?!\\S)|\\s+"
      ]
    case "tekken":
      patterns = [Self.casedWords(contractions: "", digits: "\\p{N}")]
      (ignoresMerges, addsBOS) = (true, true)
    case "gpt-4o", "llama4", "kanana2", "talkie", "minimax-m2", "granite-embed-multi-97m":
      patterns = [Self.casedWords(contractions: Self.contractions + "?", digits: "\\p{N}{1,3}")]
      ignoresMerges = name == "granite-embed-multi-97m"
    case "tiny_aya", "cohere2moe":
      patterns = [
        "\\d{1,3}(?=(?:\\d{3})*\\b)",
        Self.casedWords(contractions: Self.contractions + "?", digits: "\\p{N}{1,3}"),
      ]
    case "deepseek-llm": patterns = Self.deepSeekLLM
    case "deepseek-coder": patterns = Self.deepSeekCoder
    case "deepseek-v3", "hunyuan-dense", "joyai-llm", "hy_v4":
      patterns = ["\\p{N}{1,3}", Self.hanAndKana, Self.deepSeekWords]
    case "falcon":
      patterns = ["[\\p{P}\\$\\+<=>\\^~\\|`]+", PreTokenizer.gpt2Pattern, "[0-9][0-9][0-9]"]
    case "poro-chat", "bloom", "gpt3-finnish": patterns = [Self.bloom]
    case "viking": patterns = [Self.bloom, "\\p{N}"]
    case "superbpe": patterns = ["\\p{N}+", "(?=(\\d{3})+(?!\\d))"]
    case "laguna": patterns = ["[^\\n]+|[\\n]+", Self.words(digits: "\\p{N}")]
    case "chameleon":
      patterns = [
        "<sentinel:[0-9]+>", "(IMGIMG)((A|B|C|D|E|F|G|H|I){1,4})Z", "([\\t\\n]|    |  )", "\\p{N}",
        "[\\p{P}!-/:-@\\[-`{-~]", PreTokenizer.gpt2Pattern,
      ]
      addsBOS = true
    default:
      throw IngotError(
        .unsupported, "the split pattern named \"\(name)\" is not known",
        at: .init(key: "tokenizer.ggml.pre"))
    }
  }

  /// The steps of the patterns.
  /// - Throws: what compiling a pattern throws.
  func steps() throws(IngotError) -> [PreTokenizer.Step] {
    var steps: [PreTokenizer.Step] = []
    for pattern in patterns {
      steps.append(.split(try SplitPattern(regex: pattern), .isolated, invert: false))
    }
    return steps
  }

  private static let contractions = "(?i:'s|'t|'re|'ve|'m|'ll|'d)"

  /// cl100k's pattern, with digits in pieces as wanted.
  private static func words(digits: String) -> String {
    contractions + "|[^\\r\\n\\p{L}\\p{N}]?\\p{L}+|" + digits
      + "| ?[^\\s\\p{L}\\p{N}]+[\\r\\n]*|\\s*[\\r\\n]+|\\s+(?!\\S)|\\s+"
  }

  /// o200k's pattern.
  private static func casedWords(contractions: String, digits: String) -> String {
    let (upper, lower) = ("[\\p{Lu}\\p{Lt}\\p{Lm}\\p{Lo}\\p{M}]", "[\\p{Ll}\\p{Lm}\\p{Lo}\\p{M}]")
    let prefix = "[^\\r\\n\\p{L}\\p{N}]?"
    return prefix + upper + "*" + lower + "+" + contractions + "|" + prefix + upper + "+" + lower + "*"
      + contractions + "|" + digits + "| ?[^\\s\\p{L}\\p{N}]+[\\r\\n/]*|\\s*[\\r\\n]+|\\s+(?!\\S)|\\s+"
  }

  private static let standard = [
    "[\\p{P}\\$\\+<=>\\^~\\|]+", PreTokenizer.gpt2Pattern, "\\p{N}+", "[0-9][0-9][0-9]",
  ]

  private static let hanAndKana = "[\\x{4E00}-\\x{9FA5}\\x{3040}-\\x{309F}\\x{30A0}-\\x{30FF}]+"

  private static let deepSeekWords =
    "[!\"#$%&'()*+,\\-./:;<=>?@\\[\\\\\\]^_`{|}~][A-Za-z]+|[^\\r\\n\\p{L}\\p{P}\\p{S}]?[\\p{L}\\p{M}]+"
    + "| ?[\\p{P}\\p{S}]+[\\r\\n]*|\\s*[\\r\\n]+|\\s+(?!\\S)|\\s+"

  private static let bloom =
    " ?[^(\\s|.,!?\\x{2026}\\x{3002}\\x{FF0C}\\x{3001}\\x{964}\\x{6D4}\\x{60C})]+"
}
