import Foundation
import IngotCore
import TestSupport
import Testing

@Suite struct FileTests {
  private let folder: Folder

  init() throws { folder = try Folder() }

  private func path(_ name: String) -> String { folder / name }

  @Test func abandonedFilesLeaveWhatWasThere() throws {
    let target = path("a.txt")
    let first = try AtomicFile(path: target)
    try first.write("old")
    try first.commit()
    do {
      let second = try AtomicFile(path: target)
      try second.write("new, but never finished")
    }
    #expect(try String(contentsOfFile: target, encoding: .utf8) == "old")
    #expect(try folder.names == ["a.txt"])
  }

  @Test func unwritableFoldersAreErrors() {
    let error = #expect(throws: IngotError.self) { _ = try AtomicFile(path: path("missing/a.txt")) }
    #expect(error?.kind == .io)
    #expect(error?.place.file == path("missing/a.txt"))
  }

  @Test func unfinishedFilesHaveNoName() throws {
    let file = try AtomicFile(path: path("a.txt"))
    try file.write("half")
    #if os(Linux)
      #expect(try folder.names == [])
    #endif
    try file.commit()
    #expect(try folder.names == ["a.txt"])
  }

  @Test func foldersAreNotReplaced() throws {
    let error = #expect(throws: IngotError.self) { _ = try AtomicFile(path: folder.path) }
    #expect(error?.kind == .io)
  }

  @Test func linksStayLinks() throws {
    try Data("old".utf8).write(to: URL(fileURLWithPath: path("target")))
    try FileManager.default.createSymbolicLink(atPath: path("link"), withDestinationPath: "target")
    let file = try AtomicFile(path: path("link"))
    try file.write("new")
    try file.commit()
    #expect(try String(contentsOfFile: path("target"), encoding: .utf8) == "new")
    #expect(try FileManager.default.destinationOfSymbolicLink(atPath: path("link")) == "target")
  }

  @Test func pipesAreWrittenAndNotReplaced() throws {
    #expect(mkfifo(path("pipe"), 0o600) == 0)
    let reader = open(path("pipe"), O_RDONLY | O_NONBLOCK)
    defer { close(reader) }
    let file = try AtomicFile(path: path("pipe"))
    try file.write("text")
    try file.commit()
    var bytes = [UInt8](repeating: 0, count: 8)
    #expect(read(reader, &bytes, 8) == 4)
    #expect(try folder.names == ["pipe"])
  }

  @Test(.timeLimit(.minutes(1))) func pipesAreNotMapped() throws {
    #expect(mkfifo(path("pipe"), 0o600) == 0)
    let error = #expect(throws: IngotError.self) { _ = try MappedFile(path: path("pipe")) }
    #expect(error?.kind == .io)
  }

  @Test func releasedPagesComeBack() throws {
    let bytes = (0..<100_000).map { UInt8(truncatingIfNeeded: $0 / 3) }
    try Data(bytes).write(to: URL(fileURLWithPath: path("pages")))
    let file = try MappedFile(path: path("pages"))
    let copy: Result<MappedFile, any Error> = bytes.withUnsafeBytes { buffer in
      Result { try MappedFile(copying: buffer, name: "copy") }
    }
    for mapped in [file, try copy.get()] {
      for range in [0..<0, 1..<2, 5000..<60_000, 0..<100_000, 99_999..<100_000, 50..<200_000] {
        mapped.release(range)
        #expect(Array(mapped.bytes) == bytes)
      }
    }
  }

  #if os(Linux)
    @Test func releasedPagesAreNotOurs() throws {
      try Data(repeating: 7, count: 64 << 20).write(to: URL(fileURLWithPath: path("large")))
      let file = try MappedFile(path: path("large"))
      func resident() -> Int {
        let handle = FileHandle(forReadingAtPath: "/proc/self/smaps")
        let lines = String(decoding: handle?.readDataToEndOfFile() ?? Data(), as: UTF8.self).split(
          separator: "\n")
        guard let at = lines.firstIndex(where: { $0.hasSuffix(path("large")) }) else { return -1 }
        let line = lines[at...].first { $0.hasPrefix("Rss:") } ?? ""
        return (line.split(separator: " ").compactMap { Int($0) }.first ?? -1) * 1024
      }
      #expect(file.bytes.reduce(0) { $0 &+ Int($1) } == 7 * (64 << 20))
      #expect(resident() == 64 << 20)
      file.release(4 << 20..<64 << 20)
      // Of pages that are mapped together, all go.
      #expect(resident() <= 4 << 20)
    }
  #endif

  @Test func placesAreWrittenInAnyOrder() throws {
    let file = try AtomicFile(path: path("places"))
    try file.reserve(byteCount: 8)
    let places = file.places
    let result: Result<Void, any Error> = [UInt8](1...3).withUnsafeBytes { bytes in
      Result {
        try places.write(bytes, at: 5)
        try places.write(bytes, at: 1)
      }
    }
    try result.get()
    try file.commit()
    #expect(try Array(Data(contentsOf: URL(fileURLWithPath: path("places")))) == [0, 1, 2, 3, 0, 1, 2, 3])
  }

  #if os(Linux)
    @Test func filesBeyondTheDiskAreErrorsAtOnce() throws {
      let error = #expect(throws: IngotError.self) {
        let file = try AtomicFile(path: path("huge"))
        try file.reserve(byteCount: 1 << 60)
      }
      #expect(error?.kind == .io)
      #expect(try folder.names == [])
    }
  #endif

  @Test func readsBeyondAFileAreErrors() throws {
    try Data([1, 2, 3, 4, 5]).write(to: URL(fileURLWithPath: path("five")))
    let file = try MappedFile(path: path("five"))
    var reader = ByteReader(file)
    #expect(try reader.read(UInt32.self) == 0x0403_0201)
    #expect(throws: IngotError.self) { try reader.read(UInt16.self) }
    #expect(reader.remaining == 1)
    for (offset, count) in [(0, 6), (6, 0), (-1, 1), (0, -1), (Int.max, 1), (1, Int.max)] {
      #expect(throws: IngotError.self) { try file.bytes(at: offset, count: count) }
    }
    var counts = ByteReader(file)
    #expect(throws: IngotError.self) { try counts.readCount(elementBytes: 1, of: "things") }
  }

  @Test func oddPathsAreErrors() throws {
    #expect(throws: IngotError.self) { _ = try MappedFile(path: path("absent")) }
    #expect(throws: IngotError.self) { _ = try MappedFile(path: folder.path) }
    try Data().write(to: URL(fileURLWithPath: path("empty")))
    #expect(try MappedFile(path: path("empty")).byteCount == 0)
  }

  @Test func npyRoundTrips() throws {
    for (name, shape) in [("s", Shape([])), ("v", Shape([7])), ("m", Shape([3, 5])), ("e", Shape([0, 4]))] {
      let tensor = try HostTensor((0..<shape.count).map { Float($0) / 3 }, shape: shape)
      try NPY.write(tensor, to: path(name))
      let read = try NPY.read(path: path(name))
      #expect(read.shape == shape)
      #expect(read.array(of: Float.self) == tensor.array(of: Float.self))
    }
    let ids = try HostTensor([1, -2, 3] as [Int64], shape: [3])
    try NPY.write(ids, to: path("i"))
    #expect(try NPY.read(path: path("i")).dtype == .i64)
  }

  @Test func brokenNpyIsAnError() throws {
    try NPY.write(HostTensor([1, 2, 3] as [Float], shape: [3]), to: path("a.npy"))
    let good = try Data(contentsOf: URL(fileURLWithPath: path("a.npy")))
    let header = String(decoding: good[10..<128], as: UTF8.self)
    func variant(_ from: String, _ to: String) -> Data {
      var data = good
      let text = header.replacingOccurrences(of: from, with: to)
      data.replaceSubrange(10..<128, with: (text + String(repeating: " ", count: 200)).utf8.prefix(118))
      return data
    }
    let broken = [
      good.prefix(5), good.prefix(60), good.prefix(130), good + [0], variant("<f4", ">f4"),
      variant("<f4", "<c8"),
      variant("False", "True"), variant("(3,)", "(-3,)"), variant("(3,)", "(9223372036854775807, 3)"),
      variant("(3,)", "x"), variant("'shape'", "'shope'"), variant("(3,)", "(4,)"),
    ]
    for data in broken {
      try data.write(to: URL(fileURLWithPath: path("b.npy")))
      #expect(throws: IngotError.self) { try NPY.read(path: path("b.npy")) }
    }
  }

  @Test func shapesThatOverflowAreErrors() throws {
    for dims in [[-1], [Int.max, 2], [1 << 40, 1 << 40], [3, -2]] {
      #expect(throws: IngotError.self) { try Shape(checking: dims) }
    }
    #expect(try Shape(checking: [0, 5]).count == 0)
    #expect(try Shape(checking: []).count == 1)
  }

  @Test func messagesNamePlaceAndHint() {
    let error = IngotError(
      .format, "cut short", at: .init(file: "m.safetensors", tensor: "a.b", offset: 12),
      hint: "fetch it again")
    #expect(
      error.description
        == "format: cut short\n  in m.safetensors, tensor \"a.b\", byte 12\n  hint: fetch it again")
    #expect(IngotError(.io, "x").inFile("f").inFile("g").place.file == "f")
  }
}
