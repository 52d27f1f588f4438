import Foundation
import IngotCore
import ONNXRuntime
import TestSupport
import Testing

@Suite struct LibrarySearchTests {
  #if canImport(Darwin)
    private let name = "libonnxruntime.1.31.1.dylib"
    private let olderName = "libonnxruntime.1.9.0.dylib"
  #else
    private let name = "libonnxruntime.so.1.31.1"
    private let olderName = "libonnxruntime.so.1.9.0"
  #endif

  private func touch(_ path: String) throws {
    try FileManager.default.createDirectory(
      atPath: (path as NSString).deletingLastPathComponent, withIntermediateDirectories: true)
    try Data().write(to: URL(fileURLWithPath: path))
  }

  @Test func environmentsComeBeforeThePathAndNewerPythonsFirst() throws {
    let folder = try Folder()
    let root = folder.path
    let paths = [
      "venv/lib/python3.12/site-packages", "venv/lib/python3.9/site-packages",
      "conda/lib/python3.11/site-packages", "home/.local/lib/python3.11/site-packages",
    ].map { "\(root)/\($0)/onnxruntime/capi/" }
    for path in paths {
      try touch(path + name)
      try touch(path + "libonnxruntime_providers_shared.so")
    }
    try touch(paths[0] + olderName)
    let search = LibrarySearch(environment: [
      "VIRTUAL_ENV": "\(root)/venv", "CONDA_PREFIX": "\(root)/conda", "HOME": "\(root)/home", "PATH": "",
    ])
    let found = search.wheelLibraries().filter { $0.hasPrefix(root) }
    #expect(
      found == [paths[0] + name, paths[0] + olderName, paths[1] + name, paths[2] + name, paths[3] + name])
  }

  @Test func aPythonOnThePathIsFollowedToItsPackages() throws {
    let folder = try Folder()
    let root = folder.path
    let beside = "\(root)/env/lib/python3.12/site-packages/onnxruntime/capi/\(name)"
    let behind = "\(root)/python/lib/python3.12/dist-packages/onnxruntime/capi/\(name)"
    for path in [beside, behind, "\(root)/python/bin/python3.12", "\(root)/env/bin/none"] {
      try touch(path)
    }
    let python = "\(root)/python/bin/python3.12"
    try FileManager.default.setAttributes([.posixPermissions: 0o755], ofItemAtPath: python)
    try FileManager.default.createSymbolicLink(
      atPath: "\(root)/env/bin/python3", withDestinationPath: python)
    let real = URL(fileURLWithPath: root).resolvingSymlinksInPath().path
    let search = LibrarySearch(environment: ["PATH": "relative:\(root)/missing:\(root)/env/bin"])
    let found = search.wheelLibraries().filter { $0.hasPrefix(root) || $0.hasPrefix(real) }
    #expect(found.count == 2)
    #expect(found.first == beside)
    #expect(found.last?.hasSuffix("/python/lib/python3.12/dist-packages/onnxruntime/capi/\(name)") == true)
  }

  @Test func aNamedPathIsTheOnlyOneTried() throws {
    let search = LibrarySearch(environment: ["INGOT_ORT_LIBRARY": fixture("add.onnx")])
    var opened: [String] = []
    func open(_ path: String) throws(IngotError) -> Int {
      opened.append(path)
      throw IngotError(.io, "broken", at: .init(file: path))
    }
    let byVariable = failure { _ = try search.load(nil, open: open) }
    #expect(byVariable?.what == "broken")
    #expect(byVariable?.hint?.contains("INGOT_ORT_LIBRARY") == true)
    #expect(failure { _ = try search.load(fixture("append.onnx"), open: open) }?.what == "broken")
    #expect(opened == [fixture("add.onnx"), fixture("append.onnx")])
    let missing = failure { _ = try search.load("/nowhere/libonnxruntime.so", open: open) }
    #expect(missing?.place.file == "/nowhere/libonnxruntime.so")
    #expect(missing?.hint?.contains("pip install onnxruntime") == true)
    #expect(opened.count == 2)
  }

  @Test func withoutALibraryTheErrorSaysHowToInstallOne() {
    func open(_ path: String) throws(IngotError) -> Int { throw IngotError(.io, "no", at: .init(file: path)) }
    let search = LibrarySearch(environment: ["INGOT_ORT_LIBRARY": ""])
    // A machine with a broken wheel names the wheel instead.
    guard search.wheelLibraries().isEmpty else { return }
    let error = failure { _ = try search.load(nil, open: open) }
    #expect(error?.what == "ONNX Runtime was not found")
    #expect(error?.hint?.contains("pip install onnxruntime") == true)
    #expect(error?.hint?.contains("INGOT_ORT_LIBRARY") == true)
  }

  @Test(arguments: ["1.17.3", "1.9.0", "0.99.0", "2.0.0", "", "x.y", "1", "1.x.2"])
  func unusableVersionsAreRefused(version: String) {
    let error = OrtRuntime.versionFailure(version)
    #expect(error?.kind == .unsupported)
    #expect(error?.what.contains("ONNX Runtime \(version) ") == true)
    #expect(error?.what.contains("1.18") == true)
  }

  @Test(arguments: ["1.18.0", "1.31.1", "1.100.0"]) func usableVersionsAreTaken(version: String) {
    #expect(OrtRuntime.versionFailure(version) == nil)
  }

  @Test(.enabled(if: ProcessInfo.processInfo.environment["INGOT_ORT_LIBRARY"] != nil, "no library is named"))
  func aLibraryNamedByTheEnvironmentLoads() {
    // Otherwise the tests that run models would be skipped, and nobody would know.
    #expect(library != nil)
  }

  @Test func whatIsNoLibraryIsRefused() {
    let error = failure { _ = try OrtRuntime.load(library: fixture("add.onnx")) }
    #expect(error?.kind == .io)
    #expect(error?.place.file == fixture("add.onnx"))
  }
}
