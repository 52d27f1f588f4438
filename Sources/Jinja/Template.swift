public import IngotCore

/// A chat template in the Jinja2 language, parsed and ready to render.
///
/// Renders what Hugging Face transformers renders: jinja2's immutable sandbox with `trim_blocks`,
/// `lstrip_blocks`, loop controls, `{% generation %}`, `raise_exception`, `strftime_now` and a `tojson`
/// that writes plain JSON.
///
///     let template = try Template(source, name: "tokenizer_config.json")
///     let prompt = try template.render(JSONObject([.init("messages", messages)]))
///
/// A template is immutable: any number of threads may render it at once.
public struct Template: Sendable {
  /// Names the template in errors.
  public let name: String?
  private let options: TemplateOptions
  private let program: Program

  /// Parses a template.
  /// - Parameter name: the file it came from, for errors.
  /// - Throws: `.template` with the line for bad syntax and unknown filters, `.unsupported` for
  ///   inheritance and includes, `.limit` for what is nested too deeply.
  public init(
    _ source: String, name: String? = nil, options: TemplateOptions = .init()
  ) throws(IngotError) {
    self.name = name
    self.options = options
    do throws(IngotError) {
      guard source.utf8.count <= options.limits.sourceBytes else {
        throw IngotError(
          .limit, "the template has \(source.utf8.count) bytes, more than \(options.limits.sourceBytes)")
      }
      var lexer = Lexer(source, options: options)
      var parser = Parser(try lexer.tokenize(), options: options)
      let body = try parser.parseTemplate()
      program = try Resolver.resolve(body, names: parser.nameCount, scopes: parser.scopeCount)
    } catch {
      throw name.map { error.inFile($0) } ?? error
    }
  }

  /// Renders the template.
  /// - Parameters:
  ///   - variables: what the template sees: `messages`, `tools`, `add_generation_prompt`, `bos_token`, …
  ///   - now: what `strftime_now` tells; the clock's time when nil.
  /// - Throws: `.template` with the line for what the template raises or does wrong, `.limit` for one
  ///   that runs too long, recurses too deeply or writes too much, `.unsupported`.
  public func render(_ variables: JSONObject, now: LocalTime? = nil) throws(IngotError) -> String {
    let interpreter = Interpreter(program, options: options, now: now)
    defer { interpreter.dispose() }
    do throws(IngotError) {
      return try interpreter.render(variables).string
    } catch {
      let error = error.onLine(interpreter.line)
      throw name.map { error.inFile($0) } ?? error
    }
  }
}

/// How a template is read and how much it may do.
public struct TemplateOptions: Sendable {
  /// Whether the first line end after a block tag goes.
  public var trimBlocks: Bool
  /// Whether white space before a block tag goes when nothing else is on its line.
  public var lstripBlocks: Bool
  /// Bounds on parsing and rendering.
  public var limits: TemplateLimits

  /// Makes options; the defaults are those of transformers.
  public init(trimBlocks: Bool = true, lstripBlocks: Bool = true, limits: TemplateLimits = .init()) {
    self.trimBlocks = trimBlocks
    self.lstripBlocks = lstripBlocks
    self.limits = limits
  }
}

/// Bounds that make every template end, in one clear error when not in a result.
public struct TemplateLimits: Sendable {
  /// Longest source, in bytes.
  public var sourceBytes = 16 << 20
  /// Deepest nesting of statements and expressions in the source.
  public var nesting = 200
  /// Deepest recursion of macros and recursive loops.
  public var recursion = 200
  /// Deepest nesting of lists and dictionaries.
  public var valueDepth = 256
  /// Longest output, and longest string on the way, in bytes.
  public var outputBytes = 16 << 20
  /// Memory allocated in total for strings and lists, in bytes.
  public var allocatedBytes = 2 << 30
  /// Expressions and statements executed.
  public var steps = 5_000_000
  /// Longest `range`; that of jinja2's sandbox.
  public var rangeLength = 100_000

  /// Makes the default limits.
  public init() {}
}
