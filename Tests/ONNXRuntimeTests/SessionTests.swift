import Foundation
import IngotCore
import ONNXRuntime
import TestSupport
import Testing

@Suite(.enabled(if: library != nil, "ONNX Runtime is not installed")) struct SessionTests {
  private let a, b: HostTensor

  init() throws {
    a = try HostTensor([Float(1), 2, 3, 4, 5, 6], shape: [2, 3])
    b = try HostTensor([Float(10), 20, 30], shape: [1, 3])
  }

  @Test func theLibraryIsLoadedOnce() throws {
    let library = try #require(library)
    #expect(try OrtRuntime.load() === library)
    #expect(try OrtRuntime.load(library: library.libraryPath) === library)
    #expect(library.version.hasPrefix("1."))
  }

  @Test func portsAreThoseOfTheModel() throws {
    let session = try session("append.onnx")
    #expect(session.inputs.map(\.description) == ["past f32 [1, 2, P, 4]", "rows f32 [1, 2, N, 4]"])
    #expect(session.outputs.map(\.name) == ["present", "total"])
    #expect(session.outputs[0].dims == [1, 2, nil, 4])
    #expect(session.outputs[1] == TensorPort(name: "total", dtype: .i64, dims: [1]))
  }

  @Test func aRunComputesWhatIsAskedFor() throws {
    let session = try session("add.onnx")
    let all = try session.run(["a": a, "b": b])
    #expect(all.keys.sorted() == ["shifted", "sum"])
    #expect(all["sum"]?.array(of: Float.self) == [11, 22, 33, 14, 25, 36])
    let one = try session.run(["a": a, "b": b], outputs: ["shifted"])
    #expect(one.keys.sorted() == ["shifted"])
    #expect(one["shifted"]?.shape == [2, 3])
    #expect(one["shifted"]?.array(of: Float.self) == [21, 32, 43, 24, 35, 46])
    #expect(try session.run(["a": a, "b": b], outputs: []).isEmpty)
  }

  @Test func resultsOutliveTheSession() throws {
    var results: [HostTensor] = []
    for _ in 0..<50 {
      results.append(try #require(try session("add.onnx").run(["a": a, "b": b])["sum"]))
    }
    for result in results { #expect(result.array(of: Float.self) == [11, 22, 33, 14, 25, 36]) }
  }

  @Test func everyElementTypeOfADecoderPasses() throws {
    let session = try session("dtypes.onnx")
    var inputs: [String: HostTensor] = [:]
    for port in session.inputs {
      // Bytes 0 and 1 alone, so that they are booleans too.
      let bytes = (0..<3 * port.dtype.byteCount).map { UInt8($0 % 2) }
      let buffer = try AlignedBuffer(byteCount: bytes.count)
      buffer.bytes.copyBytes(from: bytes)
      inputs[port.name] = try HostTensor(
        dtype: port.dtype, shape: [3], bytes: UnsafeRawBufferPointer(buffer.bytes), storage: buffer)
    }
    #expect(Set(session.inputs.map(\.dtype)) == [.f16, .bf16, .f32, .i64, .i32, .i8, .u8, .bool])
    let outputs = try session.run(inputs)
    for (name, input) in inputs {
      let output = try #require(outputs[name + "_out"])
      #expect(output.dtype == input.dtype)
      #expect(output.shape == input.shape)
      #expect(Array(output.bytes) == Array(input.bytes))
    }
  }

  @Test func emptyAndUnalignedTensorsPass() throws {
    let session = try session("append.onnx")
    let past = try HostTensor([Float](), shape: [1, 2, 0, 4])
    let buffer = try AlignedBuffer(byteCount: 33)
    let bytes = UnsafeMutableRawBufferPointer(start: buffer.base + 1, count: 32)
    withUnsafeBytes(of: (Float(1), Float(2), Float(3), Float(4), Float(5), Float(6), Float(7), Float(8))) {
      bytes.copyMemory(from: $0)
    }
    let rows = try HostTensor(
      dtype: .f32, shape: [1, 2, 1, 4], bytes: UnsafeRawBufferPointer(bytes), storage: buffer)
    let outputs = try session.run(["past": past, "rows": rows])
    #expect(outputs["present"]?.array(of: Float.self) == [1, 2, 3, 4, 5, 6, 7, 8])
    #expect(outputs["total"]?.array(of: Int64.self) == [1])
    let none = try HostTensor(
      dtype: .f32, shape: [1, 2, 0, 4], bytes: UnsafeRawBufferPointer(start: nil, count: 0), storage: nil)
    #expect(try session.run(["past": none, "rows": none])["present"]?.shape == [1, 2, 0, 4])
  }

  @Test(arguments: [nil, 1, 2, 3]) func threadsOfAnyNumberGiveTheSameSums(threads: Int?) throws {
    var options = OrtSession.Options()
    (options.threads, options.optimization, options.usesArena) = (threads, .none, false)
    options.usesMemoryPatterns = true
    let outputs = try session("add.onnx", options).run(["a": a, "b": b])
    #expect(outputs["sum"]?.array(of: Float.self) == [11, 22, 33, 14, 25, 36])
  }

  @Test func externalDataIsFoundBesideTheModelAndWhereItIsSaid() throws {
    let x = try HostTensor([Float(1), 0, 0, 256], shape: [1, 4])
    let expected = (0..<64).map { Float($0) / 256 + Float(192 + $0) }
    #expect(try session("external.onnx").run(["x": x])["y"]?.array(of: Float.self) == expected)

    let file = try MappedFile(path: fixture("external.onnx"))
    let folder = (fixture("external.onnx") as NSString).deletingLastPathComponent
    let loaded = try OrtSession(
      library!, modelBytes: file.bytes, externalDataFolder: folder, options: .init())
    #expect(try loaded.run(["x": x])["y"]?.array(of: Float.self) == expected)
    let empty = try Folder()
    let error = failure {
      _ = try OrtSession(
        library!, modelBytes: file.bytes, externalDataFolder: empty.path, options: .init(), name: "m.onnx")
    }
    #expect(error?.place.file == "m.onnx")
    withExtendedLifetime(file) {}
  }

  @Test func inputsAreCheckedBeforeTheRun() throws {
    let session = try session("add.onnx")
    let missing = failure { _ = try session.run(["a": a]) }
    #expect(missing?.what == "the input \"b\" is missing")
    #expect(missing?.place.file == fixture("add.onnx"))
    #expect(missing?.place.tensor == "b")
    let unknown = failure { _ = try session.run(["a": a, "b": b, "c": b]) }
    #expect(unknown?.what == "the model has no input \"c\"")
    let output = failure { _ = try session.run(["a": a, "b": b], outputs: ["total"]) }
    #expect(output?.what == "the model has no output \"total\"")
    #expect(output?.hint == "its outputs are sum f32 [batch, 3], shifted f32 [batch, 3]")
    let integers = try HostTensor([Int64(1), 2, 3], shape: [1, 3])
    let dtype = failure { _ = try session.run(["a": a, "b": integers]) }
    #expect(dtype?.kind == .shape)
    #expect(dtype?.what == "the input \"b\" is i64 [1, 3], the model has b f32 [1, 3]")
    #expect(failure { _ = try session.run(["a": a, "b": a]) }?.kind == .shape)
    let flat = try HostTensor([Float(1), 2, 3], shape: [3])
    #expect(failure { _ = try session.run(["a": flat, "b": b]) }?.place.tensor == "a")
  }

  @Test func aFailingRunNamesTheModel() throws {
    let session = try session("gather.onnx")
    let data = try HostTensor([Float](repeating: 1, count: 8), shape: [4, 2])
    let error = failure {
      _ = try session.run(["data": data, "index": HostTensor([Int64(9)], shape: Shape([]))])
    }
    #expect(error?.place.file == fixture("gather.onnx"))
    #expect(error?.what.hasPrefix("ONNX Runtime cannot run the model") == true)
    let row = try session.run(["data": data, "index": HostTensor([Int64(3)], shape: Shape([]))])["row"]
    #expect(row?.array(of: Float.self) == [1, 1])
  }

  @Test func brokenFilesAreErrors() throws {
    #expect(failure { _ = try session("missing.onnx") }?.kind == .io)
    #expect(failure { _ = try session("strings.onnx") }?.what.contains("holds strings") == true)
    let whole = try Array(Data(contentsOf: URL(fileURLWithPath: fixture("add.onnx"))))
    let folder = try Folder()
    let path = folder / "broken.onnx"
    for count in stride(from: 0, to: whole.count, by: 7) {
      try Data(whole.prefix(count)).write(to: URL(fileURLWithPath: path))
      if let error = failure({ _ = try OrtSession(library!, path: path) }) {
        #expect(error.place.file == path)
      }
    }
    let empty = UnsafeRawBufferPointer(start: nil, count: 0)
    #expect(
      failure { _ = try OrtSession(library!, modelBytes: empty, externalDataFolder: "/", options: .init()) }?
        .kind == .format)
  }
}
