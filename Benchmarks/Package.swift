// swift-tools-version: 6.1
import PackageDescription

let package = Package(
  name: "ingot-benchmarks",
  platforms: [.macOS(.v15)],
  dependencies: [
    .package(name: "ingot", path: ".."),
    .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.0"),
  ],
  targets: [
    .executableTarget(
      name: "decoder-bench",
      dependencies: [
        .product(name: "Ingot", package: "ingot"),
        .product(name: "ArgumentParser", package: "swift-argument-parser"),
      ])
  ],
  swiftLanguageModes: [.v6]
)
