import ArgumentParser
import Ingot

/// `ingot info`: what a model is and what it takes.
struct InfoCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "info",
    abstract: "Shows a model's architecture, tensors and memory; of an .ingot file stages and digests too.",
    discussion:
      "Reads no weights, but for --check. With a second .ingot file and --weights: whether both have the same."
  )

  @OptionGroup var model: ModelArgument

  @Argument(help: "A second .ingot file, to compare weights with.")
  var other: String?

  @OptionGroup var context: ContextArgument
  @OptionGroup var engine: EngineArguments

  @Flag(help: "Print JSON.")
  var json = false

  @Flag(help: "List all tensors.")
  var tensors = false

  @Flag(help: "Say whether two .ingot files have the same weights, byte for byte.")
  var weights = false

  @Flag(help: "Check every byte of an .ingot file against its digests.")
  var check = false

  @Option(
    help: "Say whether the model fits in this much memory, as 16GiB, and the longest context that does.")
  var fit: ByteCount?

  mutating func run() throws {
    try engine.tuning.placeThreads()
    if weights || other != nil { return try compareWeights() }
    let checkpoint = try model.open()
    let artifact = checkpoint as? ArtifactCheckpoint
    if check { try checkDigests(artifact) }
    let options = try engine.options(contextLength: context.length, keys: model.keys).engineOptions(
      for: checkpoint)
    let graph = try ModelRegistry.standard.graph(for: checkpoint.config)
    if let fit { return try tellFit(fit.count, graph, checkpoint, options) }
    let memory = try DecoderEngine.memory(of: graph, for: checkpoint, options: options)
    let report = ModelReport(checkpoint, options, memory)
    let summary = artifact.map { ArtifactSummary($0) }
    var output = Output()
    if json {
      var object = report.json(listingTensors: tensors).object ?? JSONObject()
      if let summary { object["artifact"] = .object(summary.json) }
      try output.write(JSONValue.object(object).indented + "\n")
    } else {
      try output.write(report.text + (summary?.text ?? ""))
      for tensor in tensors ? report.tensors : [] {
        try output.write("\(tensor.name)  \(tensor.encoding)  \(tensor.shape)\n")
      }
    }
    try output.flush()
  }

  private func checkDigests(_ artifact: ArtifactCheckpoint?) throws {
    guard let artifact else {
      throw IngotError(.argument, "only .ingot files have digests to check", at: .init(file: model.model))
    }
    var progress = Progress("checking", total: artifact.artifact.header.fileByteCount)
    defer { progress.finish() }
    try artifact.artifact.verify { done, _ in progress.update(done) }
  }

  private func compareWeights() throws {
    guard let other, weights else {
      throw IngotError(.argument, "to compare two files' weights, name both and give --weights")
    }
    let files = [try model.keys.open(model.model), try model.keys.open(other)]
    let segments = try files.map { file in
      guard let segment = file.segment(named: ArtifactCheckpoint.SegmentName.weights) else {
        throw IngotError(.format, "the file holds no weights", at: .init(file: file.path))
      }
      return segment
    }
    let same =
      ArtifactFile.sameContent(files[0], files[1], named: ArtifactCheckpoint.SegmentName.weights)
      && ArtifactFile.sameContent(files[0], files[1], named: ArtifactCheckpoint.SegmentName.index)
    var output = Output()
    if json {
      let digests = segments.map { JSONValue.string($0.sha256) }
      let object = JSONObject([.init("same_weights", .bool(same)), .init("sha256", .array(digests))])
      try output.write(JSONValue.object(object).indented + "\n")
    } else {
      try output.write(same ? "same weights\n" : "different weights\n")
      for (file, segment) in zip(files, segments) {
        try output.write("  \(segment.sha256)  \(bytes(segment.byteCount))  \(file.path)\n")
      }
    }
    try output.flush()
    if !same { throw ExitCode(1) }
  }

  private func tellFit(
    _ limit: Int, _ graph: Graph, _ checkpoint: any Checkpoint, _ options: DecoderEngine.Options
  ) throws {
    let fit = try MemoryFit(
      of: graph, for: checkpoint, options: options, limit: limit,
      most: (checkpoint as? ArtifactCheckpoint)?.manifest.longest.total ?? checkpoint.config.maxPositions)
    var output = Output()
    if json {
      let object = JSONObject([
        .init("limit", .int(limit)), .init("fits", .bool(fit.fits)),
        .init("context", .int(options.contextLength)), .init("total", .int(fit.memory.total)),
        .init("weights", .int(fit.memory.weights)), .init("kv", .int(fit.memory.cache)),
        .init("workspace", .int(fit.memory.workspace)),
        .init("longest_context", fit.longestContext.map { .int($0) } ?? .null),
      ])
      try output.write(JSONValue.object(object).indented + "\n")
    } else {
      try output.write(
        "\(fit.fits ? "fits" : "does not fit") in \(bytes(limit)): \(bytes(fit.memory.total)) for \(grouped(options.contextLength)) tokens (weights \(bytes(fit.memory.weights)), cache \(bytes(fit.memory.cache)), workspace \(bytes(fit.memory.workspace)))\n"
      )
      try output.write(
        fit.longestContext.map { "longest context that fits: \(grouped($0)) tokens\n" }
          ?? "no context fits\n")
    }
    try output.flush()
    if !fit.fits { throw ExitCode(1) }
  }
}
