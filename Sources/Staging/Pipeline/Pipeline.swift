import Generation
package import IngotCore

/// Continues a prompt step by step, with all that passes between the parts in files.
///
/// Step `n` is the folder `step_000n`: a chunk of the prompt, or the token drawn last. The prompt is computed by
/// the prefill parts, everything after it by the decode parts. A step is whole once its `step.json` is there;
/// a run that was cut off goes on after the last whole step and draws what it would have drawn.
package final class Pipeline {
  private let prefill: StagedModel
  private let decode: StagedModel
  private let text: StageText
  private let options: PipelineOptions
  private let prompt: [Int]
  private let draw: TokenDraw
  private let folder: RunFolder
  private let record: RunRecord
  private let begun: RunRecord?
  private let padding: Int
  private var caches: [BlockCache] = []
  private var whole: [StepRecord] = []
  /// The parts in use: first prefill, then decode.
  private var loaded: (isDecode: Bool, parts: LoadedParts)?

  /// Checks models, options and what is in the folders; writes nothing.
  /// - Parameters:
  ///   - prompt: all its ids.
  ///   - decode: the same object as `prefill` when one folder does both.
  /// - Throws: `.io`, `.format`, `.shape` for the files; `.argument`, `.limit` for what does not fit them.
  package init(
    prefill: any StageSource, decode: any StageSource, text: StageText, prompt: [Int],
    options: PipelineOptions
  ) throws(IngotError) {
    self.prefill = try StagedModel(prefill)
    self.decode = decode === prefill ? self.prefill : try StagedModel(decode)
    if decode !== prefill { try self.prefill.requirePartner(self.decode) }
    (self.text, self.prompt, self.options) = (text, prompt, options)
    let form = self.prefill.form
    padding = text.padding(vocabularySize: form.output.vocabularySize)
    try Self.check(options, prompt, form, prefill)

    folder = RunFolder(root: options.runRoot, cache: options.cacheFolder)
    begun = options.start == .resume ? try RunRecord(root: options.runRoot) : nil
    var sampling = options.sampling
    // A run that had no seed of its own goes on with the one it drew.
    if sampling.seed == nil { sampling.seed = begun?.seed }
    draw = try TokenDraw(sampling)
    var prints = ["prefill": self.prefill.digests]
    if decode !== prefill { prints["decode"] = self.decode.digests }
    record = RunRecord(
      prompt: prompt, prefill: form, decode: self.decode.form, prints: prints, draw: draw, paddingID: padding)
    if options.start == .clean { return }
    if let begun {
      try record.require(sameAs: begun, root: options.runRoot)
      try takeUp()
    } else {
      try folder.requireEmpty()
    }
  }

  private static func check(
    _ options: PipelineOptions, _ prompt: [Int], _ form: StagedForm, _ source: any StageSource
  ) throws(IngotError) {
    try StageText.check(prompt, vocabularySize: form.output.vocabularySize)
    try LengthOption.check("max-input-len", options.inputLength, form.inputLength, source.file(.embed))
    try LengthOption.check("max-cache-len", options.cacheLength, form.cacheLength, source.file(.block(0)))
    guard options.steps >= 1 else {
      throw IngotError(.argument, "--steps is \(options.steps); it must be at least 1")
    }
    guard options.start != .resume || options.cacheFolder != nil else {
      throw IngotError(.argument, "--resume needs the cache in files")
    }
    if !options.chunks, prompt.count > form.inputLength {
      throw IngotError(
        .limit, "the prompt has \(prompt.count) tokens; the model takes \(form.inputLength) (max_input_len)",
        hint: "leave out --no-chunk, or export the model with a larger --seq-len")
    }
    // The last token drawn needs no row.
    let (rows, overflow) = prompt.count.addingReportingOverflow(options.steps - 1)
    guard !overflow, rows <= form.cacheLength else {
      throw IngotError(
        .limit,
        "a prompt of \(prompt.count) tokens and \(options.steps) steps are more than the \(form.cacheLength) rows of the cache (max_cache_len)",
        hint: "use fewer --steps, or export the model with a larger --max-cache-len")
    }
  }

  /// Reads what the run to resume has done.
  private func takeUp() throws(IngotError) {
    whole = try folder.wholeSteps()
    var drawn = 0
    for (index, step) in whole.enumerated() {
      let place = IngotError.Place(file: StepFolder(root: options.runRoot, step: index).record)
      let planned = plan(index, drawn: drawn)
      guard step.step == index, step.pastLength == planned.past, step.queryLength == planned.count,
        (step.nextToken != nil) == planned.draws, step.content.count == prefill.form.blocks.count,
        (0..<prefill.form.output.vocabularySize).contains(step.nextToken ?? 0)
      else {
        throw IngotError(
          .format, "the record is not that of step \(index) of this run", at: place,
          hint: "begin anew with --clean")
      }
      if step.nextToken != nil { drawn += 1 }
    }
    try openCaches()
    let rows = whole.last.map { $0.pastLength + $0.queryLength } ?? 0
    for (index, cache) in caches.enumerated() {
      try cache.prepare(rows: rows)
      let isOurs =
        whole.last.map { cache.content(at: rows) == $0.content[index] }
        ?? cache.isNew(orHas: plan(0, drawn: 0).count)
      guard isOurs else {
        throw IngotError(
          .argument, "the cache of block \(index) was not filled by this run",
          at: .init(file: options.cacheFolder),
          hint: "give the --kv-dir of the run, or begin anew with --clean")
      }
    }
  }

  /// What a step computes, and whether a token is drawn at its end.
  private func plan(_ step: Int, drawn: Int) -> (past: Int, count: Int, draws: Bool) {
    let length = prefill.form.inputLength
    let past = step * length
    if past < prompt.count {
      let count = min(length, prompt.count - past)
      return (past, count, past + count == prompt.count)
    }
    return (prompt.count + drawn - 1, 1, true)
  }

  private func openCaches() throws(IngotError) {
    for (index, form) in prefill.form.blocks.enumerated() {
      caches.append(
        try BlockCache(
          block: index, form: form, weights: prefill.weights(ofBlock: index), folder: options.cacheFolder))
    }
  }

  // MARK: Running

  /// Runs to the end.
  /// - Parameter onToken: called with each token drawn, those of an earlier run included; not with the one
  ///   that ends the text.
  /// - Throws: errors of files and back end; whole steps stay, and the run can be resumed.
  package func run(onToken: (Int) -> Void = { _ in }) throws(IngotError) -> PipelineResult {
    let resumed = whole.count
    var drawn = whole.compactMap(\.nextToken)
    var result = PipelineResult(ids: [], reason: .length, endID: nil, steps: resumed, resumedSteps: resumed)
    var isBegun = false
    while true {
      while result.ids.count < min(drawn.count, options.steps) {
        let id = drawn[result.ids.count]
        if !options.ignoresEOS, text.eosIDs.contains(id) {
          (result.reason, result.endID) = (.endOfText, id)
          break
        }
        result.ids.append(id)
        onToken(id)
      }
      if result.endID != nil || result.ids.count == options.steps { break }
      let planned = plan(result.steps, drawn: drawn.count)
      let tokens =
        planned.past < prompt.count
        ? Array(prompt[planned.past..<planned.past + planned.count]) : Array(drawn.suffix(1))
      let parts = try parts(isDecode: planned.past >= prompt.count)
      if !isBegun { try begin() }
      isBegun = true
      if let id = try step(result.steps, tokens, past: planned.past, draws: planned.draws, parts) {
        drawn.append(id)
      }
      result.steps += 1
    }
    try writeSummary(result)
    return result
  }

  /// The parts for a phase; those of the other are let go.
  private func parts(isDecode: Bool) throws(IngotError) -> LoadedParts {
    if let loaded, loaded.isDecode == isDecode || decode.source === prefill.source { return loaded.parts }
    loaded = nil
    let model = isDecode ? decode : prefill
    let parts = try LoadedParts(model.source, model.form)
    loaded = (isDecode, parts)
    return parts
  }

  /// Makes the folders, once everything has shown that it can be loaded.
  private func begin() throws(IngotError) {
    if options.start == .clean { try folder.clean() }
    try Files.makeFolder(options.runRoot)
    if let cache = options.cacheFolder { try Files.makeFolder(cache) }
    if begun == nil { try record.write(root: options.runRoot) }
    if caches.isEmpty { try openCaches() }
  }

  private func step(
    _ index: Int, _ tokens: [Int], past: Int, draws: Bool, _ parts: LoadedParts
  ) throws(IngotError) -> Int? {
    let form = parts.form
    let step = StepFolder(root: options.runRoot, step: index)
    let meta = try StepMeta(
      pastLength: past, queryLength: tokens.count, cacheLength: form.cacheLength,
      inputLength: form.inputLength)
    let mask = try StepInputs.mask(meta, form.maskType)
    let positions = try StepInputs.positions(meta)
    let ids = try StepInputs.ids(tokens, padding: padding, meta)
    try Files.makeFolder(step.path)
    var hidden = try Stages.embed(parts.embed, form.embed, ids: ids)
    let batch = FileBatch()
    try batch.add(tokens: tokens, step)
    if options.savesHidden { try batch.add(hidden, step.hidden(0)) }
    try batch.add(meta, mask: options.savesHidden ? mask : nil, step)
    try step.removeResults(ofBlocksFrom: 0)
    try batch.commit()
    for (block, part) in parts.blocks.enumerated() {
      try caches[block].prepare(rows: past)
      let result = try Stages.block(
        part, form.blocks[block], hidden: hidden, mask: mask, positions: positions, cache: caches[block])
      if options.savesHidden { try batch.add(result.hidden, step.hidden(block + 1)) }
      try caches[block].append(result.keys, result.values, meta, hidden: hidden)
      try batch.commit()
      try caches[block].seal()
      hidden = result.hidden
    }
    let logits = try Stages.output(parts.output, form.output, hidden: hidden, rows: meta.queryLength)
    let id = draws ? try draw.token(logits, at: meta.nextPastLength) : nil
    try batch.add(logits, step.logits)
    if let id { try batch.add(next: id, text.text(of: id), step) }
    let record = StepRecord(
      step: index, pastLength: past, queryLength: tokens.count, nextToken: id,
      content: caches.map { $0.content(at: meta.nextPastLength) ?? 0 })
    try batch.add(record.json.indented + "\n", step.record)
    try batch.commit()
    return id
  }

  private func writeSummary(_ result: PipelineResult) throws(IngotError) {
    func json(_ text: String?) -> JSONValue { text.map { .string($0) } ?? .null }
    func json(_ ids: [Int]) -> JSONValue { .array(ids.map { .int($0) }) }
    let options = draw.options
    let summary = JSONObject([
      .init("prompt_tokens", .int(prompt.count)), .init("generated_ids", json(result.ids)),
      .init("generated_text", json(try text.text(of: result.ids, skipSpecial: true))),
      .init("full_text", json(try text.text(of: prompt + result.ids, skipSpecial: false))),
      .init("prompt_ids", json(prompt)), .init("finish_reason", .string(result.reason.rawValue)),
      .init("eos_id", result.endID.map { .int($0) } ?? .null), .init("steps", .int(result.steps)),
      .init("max_cache_len", .int(prefill.form.cacheLength)),
      .init("prefill_input_len", .int(prefill.form.inputLength)),
      .init("decode_input_len", .int(decode.form.inputLength)),
      .init("temperature", .double(options.temperature)), .init("top_k", .int(options.topK)),
      .init("top_p", .double(options.topP)), .init("seed", .string("\(draw.seed)")),
    ])
    let batch = FileBatch()
    try batch.add(JSONValue.object(summary).indented + "\n", Files.join(self.options.runRoot, "summary.json"))
    try batch.commit()
  }
}
