package import IngotCore

/// One stage by itself, from the files of a step to files: what `ingot stage` runs. Everything it needs is in
/// the files, so the next stage may run on another machine.
package enum SingleStage {
  /// Options of `embed`.
  package struct EmbedOptions: Sendable {
    /// The step's tokens.
    package var tokens: [Int]
    /// Tokens before them.
    package var pastLength = 0
    /// Rows of the cache; nil for what the blocks say, else 1024.
    package var cacheLength: Int?
    /// Tokens of a call; nil for what the model says.
    package var inputLength: Int?
    /// Whether `tokens.npy` is written.
    package var writesTokens = true

    /// Tokens with the defaults.
    package init(tokens: [Int]) { self.tokens = tokens }
  }

  /// Rows of a cache that nobody named.
  package static let defaultCacheLength = 1024

  /// Tokens to `hidden_block0.npy`, `attention_mask.npy`, `position_ids.npy` and `meta.json`.
  /// - Throws: `.argument`, `.limit` for what does not fit the model; errors of files and back end. Then nothing
  ///   has been written.
  package static func embed(
    _ source: any StageSource, _ text: StageText, _ options: EmbedOptions, to step: StepFolder
  ) throws(IngotError) {
    let form = try EmbedForm(source.ports(of: .embed), file: source.file(.embed))
    // The other parts may be on other machines.
    let block =
      source.has(.block(0)) ? try BlockForm(source.ports(of: .block(0)), file: source.file(.block(0))) : nil
    let output =
      source.has(.output) ? try OutputForm(source.ports(of: .output), file: source.file(.output)) : nil
    try StageText.check(options.tokens, vocabularySize: output?.vocabularySize)
    try LengthOption.check("max-input-len", options.inputLength, form.inputLength, source.file(.embed))
    if let block {
      try LengthOption.check("max-cache-len", options.cacheLength, block.cacheLength, source.file(.block(0)))
    }
    let meta = try StepMeta(
      pastLength: options.pastLength, queryLength: options.tokens.count,
      cacheLength: block?.cacheLength ?? options.cacheLength ?? defaultCacheLength,
      inputLength: form.inputLength)
    let padding = text.padding(vocabularySize: output?.vocabularySize)
    let ids = try StepInputs.ids(options.tokens, padding: padding, meta)
    let hidden = try Stages.embed(source.load(.embed), form, ids: ids)
    try Files.makeFolder(step.path)
    let batch = FileBatch()
    if options.writesTokens { try batch.add(tokens: options.tokens, step) }
    try batch.add(hidden, step.hidden(0))
    try batch.add(meta, mask: StepInputs.mask(meta, block?.maskType ?? form.dtype), step)
    try step.removeResults(ofBlocksFrom: 0)
    try batch.commit()
  }

  /// `hidden_block{i}.npy` and the cache to `hidden_block{i+1}.npy` and new rows of the cache.
  /// - Throws: errors of files, each naming the file; then the rows before this step are as they were.
  package static func block(
    _ source: any StageSource, index: Int, from input: StepFolder, to output: StepFolder, cacheFolder: String
  ) throws(IngotError) {
    guard index >= 0 else { throw IngotError(.argument, "--index is \(index); it must be at least 0") }
    let part = StagePartName.block(index)
    let form = try BlockForm(source.ports(of: part), file: source.file(part))
    let meta = try StepMeta(path: input.meta)
    try meta.require(
      inputLength: form.inputLength, cacheLength: form.cacheLength, model: source.file(part),
      file: input.meta)
    let hidden = try StepFolder.read(
      input.hidden(index), form.dtype, [1, form.inputLength, form.hiddenSize])
    let mask = try StepFolder.read(
      input.mask, form.maskType, [1, 1, form.inputLength, form.cacheLength + form.inputLength])
    let positions = try StepFolder.read(input.positions, .i64, [1, form.inputLength])
    try input.check(positions, meta)
    let cache = try BlockCache(
      block: index, form: form, weights: source.print(of: part), folder: cacheFolder)
    try cache.prepare(rows: meta.pastLength)
    let result = try Stages.block(
      source.load(part), form, hidden: hidden, mask: mask, positions: positions, cache: cache)
    try Files.makeFolder(output.path)
    try Files.makeFolder(cacheFolder)
    let batch = FileBatch()
    try batch.add(result.hidden, output.hidden(index + 1))
    try cache.append(result.keys, result.values, meta, hidden: hidden)
    if output != input {
      // What the next block reads.
      try batch.add(mask, output.mask)
      try batch.add(positions, output.positions)
      try batch.add(meta.json.indented + "\n", output.meta)
    }
    try output.removeResults(ofBlocksFrom: index)
    try batch.commit()
    try cache.seal()
  }

  /// The last `hidden_block{i}.npy` to `logits.npy`, `next_token_id.txt` and `next_token.txt`.
  /// - Returns: the token drawn.
  /// - Throws: errors of files, each naming the file; then nothing has been written.
  @discardableResult
  package static func output(
    _ source: any StageSource, _ text: StageText, _ draw: TokenDraw, from input: StepFolder,
    to output: StepFolder
  ) throws(IngotError) -> Int {
    let form = try OutputForm(source.ports(of: .output), file: source.file(.output))
    let meta = try StepMeta(path: input.meta)
    try meta.require(inputLength: form.inputLength, model: source.file(.output), file: input.meta)
    // The blocks may be on other machines.
    let last = source.has(.block(0)) ? try source.blockCount() : try input.lastHidden()
    let hidden = try StepFolder.read(
      input.hidden(last), form.dtype, [1, form.inputLength, form.hiddenSize])
    let logits = try Stages.output(source.load(.output), form, hidden: hidden, rows: meta.queryLength)
    let id = try draw.token(logits, at: meta.nextPastLength)
    try Files.makeFolder(output.path)
    let batch = FileBatch()
    try batch.add(logits, output.logits)
    try batch.add(next: id, text.text(of: id), output)
    try batch.commit()
    return id
  }
}

/// A length that the user may name and the model knows.
enum LengthOption {
  /// - Throws: `.argument` when they differ.
  static func check(_ name: String, _ option: Int?, _ model: Int, _ file: String) throws(IngotError) {
    guard let option, option != model else { return }
    throw IngotError(
      .argument, "--\(name) is \(option), but the model has \(model)", at: .init(file: file),
      hint: "leave the option out, or export the model for \(option)")
  }
}

extension FileBatch {
  /// Adds `tokens.npy`.
  func add(tokens: [Int], _ step: StepFolder) throws(IngotError) {
    try add(HostTensor(tokens.map(Int64.init), shape: [1, tokens.count]), step.tokens)
  }

  /// Adds mask, positions, and `meta.json` as the last.
  func add(_ meta: StepMeta, mask: HostTensor?, _ step: StepFolder) throws(IngotError) {
    if let mask { try add(mask, step.mask) }
    try add(StepInputs.positions(meta), step.positions)
    try add(meta.json.indented + "\n", step.meta)
  }

  /// Adds the token drawn.
  func add(next id: Int, _ text: String?, _ step: StepFolder) throws(IngotError) {
    try add("\(id)\n", step.nextTokenID)
    if let text { try add(text, step.nextToken) }
  }
}
