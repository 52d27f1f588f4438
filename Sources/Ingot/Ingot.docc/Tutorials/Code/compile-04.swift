import Foundation
import Ingot

/// Makes one file of a checkpoint, with weights of four bits and stages of two lengths:
///
///     swift run -c release Compile Qwen3-0.6B qwen3.ingot
@main
struct Compile {
  static func main() {
    do {
      try run(CommandLine.arguments)
    } catch {
      FileHandle.standardError.write(Data("error: \(error)\n".utf8))
      exit(1)
    }
  }

  static func run(_ arguments: [String]) throws {
    guard arguments.count == 3 else {
      throw IngotError(.argument, "two paths are needed", hint: "Compile MODEL OUTPUT.ingot")
    }
    let source = try openWeights(arguments[1])

    // At most so many tokens of a shared text, and of a question behind it; the rest is for the answer.
    let sets = [
      try StageSet(share: 128, unshare: 64, total: 256),
      try StageSet(share: 256, unshare: 128, total: 512),
    ]
    var options = CompileOptions(sets: sets)
    options.recipe = QuantizationRecipe(try .integers(bits: 4))

    let compiler = try ModelCompiler(source, options: options)
    for note in compiler.notes { print("note:", note) }

    // How far from its source is what was written? With a `maximumDivergence`, nothing is left of a file beyond it.
    let (result, quality) = try compiler.compile(to: arguments[2], gate: QualityGate())

    print("\(result.path): \(sets.map(\.description).joined(separator: ", "))")
    print("\(result.weightBytes) bytes of weights, KL divergence \(quality.divergence.mean.value) nats")
  }
}
