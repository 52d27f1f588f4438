// swift-tools-version: 6.1
import PackageDescription

/// Settings every Swift target shares: imports are internal unless said otherwise, and a member is
/// visible only where its module is imported, so the arrows between targets stay honest.
let swiftSettings: [SwiftSetting] = [
  .enableUpcomingFeature("ExistentialAny"),
  .enableUpcomingFeature("InternalImportsByDefault"),
  .enableUpcomingFeature("MemberImportVisibility"),
]

/// A library target of ours, in the order of ARCHITECTURE.md: it may depend only on those above it.
func library(_ name: String, _ dependencies: [Target.Dependency] = []) -> Target {
  .target(name: name, dependencies: dependencies, swiftSettings: swiftSettings)
}

func tests(_ name: String, _ dependencies: [Target.Dependency], fixtures: Bool = false) -> Target {
  .testTarget(
    name: name, dependencies: dependencies + ["TestSupport"], resources: fixtures ? [.copy("Fixtures")] : [],
    swiftSettings: swiftSettings)
}

/// A program of a few lines that shows how the library is used.
func example(_ name: String) -> Target {
  .executableTarget(
    name: name, dependencies: ["Ingot"], path: "Examples/\(name)", swiftSettings: swiftSettings)
}

let package = Package(
  name: "ingot",
  platforms: [.macOS(.v15)],
  products: [
    .library(name: "Ingot", targets: ["Ingot"]),
    .executable(name: "ingot", targets: ["IngotTool"]),
  ],
  dependencies: [
    .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.0"),
    .package(url: "https://github.com/apple/swift-collections", from: "1.6.0"),
    .package(url: "https://github.com/apple/swift-crypto", from: "4.5.0"),
    .package(url: "https://github.com/apple/swift-protobuf", from: "1.39.0"),
  ],
  targets: [
    .target(name: "CKernels", cSettings: [.define("_GNU_SOURCE")]),
    library("IngotCore", ["CKernels"]),
    library("Graph", ["IngotCore"]),
    library("NN", ["Graph"]),
    library("Checkpoints", ["IngotCore", "CKernels"]),
    library("Models", ["NN", "Checkpoints"]),
    library("Jinja", ["IngotCore"]),
    library(
      "Tokenizers",
      ["IngotCore", "Jinja", .product(name: "HeapModule", package: "swift-collections")]),
    library("Quantization", ["Graph", "Checkpoints", "CKernels"]),
    library("Engine", ["NN", "Checkpoints", "Quantization", "CKernels"]),
    library(
      "ONNX",
      [
        "Graph", "Checkpoints", "Quantization", "CKernels", .product(name: "Crypto", package: "swift-crypto"),
        .product(name: "SwiftProtobuf", package: "swift-protobuf"),
      ]),
    library(
      "Artifact",
      [
        "Checkpoints", "Graph", "Quantization", "CKernels", .product(name: "Crypto", package: "swift-crypto"),
        .product(name: "CryptoExtras", package: "swift-crypto"),
      ]),
    .target(name: "COnnxRuntime"),
    library("ONNXRuntime", ["IngotCore", "COnnxRuntime"]),
    library(
      "Generation",
      [
        "Engine", "Models", "Checkpoints", "Tokenizers", "Artifact", "ONNXRuntime",
        .product(name: "Crypto", package: "swift-crypto"),
      ]),
    library("Staging", ["Generation", "ONNXRuntime", "Tokenizers", "Checkpoints"]),
    library(
      "Inspection", ["Generation", "Artifact", "Engine", "Models", "ONNX", "ONNXRuntime", "Checkpoints"]),
    library(
      "Compilation",
      ["Inspection", "Generation", "Artifact", "Models", "Engine", "Quantization", "Checkpoints", "CKernels"]),
    library(
      "Ingot",
      [
        "Compilation", "Artifact", "Inspection", "Staging", "Generation", "ONNX", "ONNXRuntime", "Models",
        "Engine", "Quantization",
        "NN", "Graph",
        "Checkpoints", "Tokenizers", "IngotCore",
      ]),
    .executableTarget(
      name: "IngotTool",
      dependencies: ["Ingot", .product(name: "ArgumentParser", package: "swift-argument-parser")],
      swiftSettings: swiftSettings),
    example("Compile"),
    example("ShareAndAsk"),
    example("SwitchSets"),
    example("ForkAndRoll"),

    .target(
      name: "TestSupport", dependencies: ["IngotCore"], path: "Tests/TestSupport",
      swiftSettings: swiftSettings),
    tests("IngotCoreTests", ["IngotCore"]),
    tests("KernelTests", ["CKernels"]),
    tests("GraphTests", ["Graph", "NN", "IngotCore"]),
    tests("CheckpointsTests", ["Checkpoints"], fixtures: true),
    tests("JinjaTests", ["Jinja"], fixtures: true),
    tests("TokenizersTests", ["Tokenizers"], fixtures: true),
    tests("EngineTests", ["Engine", "NN", "Graph", "IngotCore", "CKernels", "Quantization", "Checkpoints"]),
    tests("ONNXTests", ["ONNX", "Quantization", "Models", "NN", "Graph", "Checkpoints", "IngotCore"]),
    tests("ArtifactTests", ["Artifact", "Checkpoints", "IngotCore"]),
    tests("CompilationTests", ["Compilation", "Artifact", "Generation", "Checkpoints", "IngotCore"]),
    tests("ONNXRuntimeTests", ["ONNXRuntime", "IngotCore"], fixtures: true),
    tests("StagingTests", ["Staging", "Generation", "IngotCore"]),
    tests("InspectionTests", ["Inspection", "Generation", "IngotCore"]),
    tests("GenerationTests", ["Generation", "Checkpoints", "IngotCore", "Tokenizers"]),
    tests(
      "CommandTests", ["IngotTool", "Compile", "ShareAndAsk", "SwitchSets", "ForkAndRoll", "IngotCore"]),
    tests("IngotTests", ["Ingot", "IngotCore"], fixtures: true),
  ],
  swiftLanguageModes: [.v6],
  cLanguageStandard: .c11
)
