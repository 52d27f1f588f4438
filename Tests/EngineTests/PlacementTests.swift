import CKernels
import Engine
import IngotCore
import Testing

@Suite struct PlacementTests {
  @Test func processorsOfOthersAreRefused() {
    #expect(throws: IngotError.self) { try Machine.keep(to: 0...(1 << 20)) }
    #expect(throws: IngotError.self) { try Machine.keep(to: 16_000...16_001) }
    #expect(throws: IngotError.self) { try Machine.keep(to: 0...Int.max) }
  }

  #if os(Linux)
    @Test func threadsStayOnTheirProcessors() async throws {
      // In a process of its own: the others of this one keep all processors.
      await #expect(processExitsWith: .success) {
        let all = Machine.linux()
        guard all.threads > 1 else { return }
        let first = try #require((0..<1024).first { (try? Machine.keep(to: $0...$0)) != nil })
        #expect(Machine.linux().threads == 1)
        #expect(EngineOptions().threads == 1)
        #expect(throws: IngotError.self) { try Machine.keep(to: (first + 1)...(first + 1)) }
      }
    }
  #endif

  @Test func largeMemoryIsSpreadAndUsable() throws {
    let buffer = try AlignedBuffer(byteCount: 9 << 20)
    #expect(ingot_interleave(buffer.base, buffer.byteCount) >= 1)
    #expect(buffer.bytes.allSatisfy { $0 == 0 })
  }
}
