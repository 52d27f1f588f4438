#if canImport(Darwin)
  import Darwin
#else
  import Glibc
#endif

/// Tells whether the thread's stack has room left, so that recursion ends in an error on a small stack
/// as well as on a large one.
struct StackGuard {
  private let lowest: UInt

  /// Looks up the current thread's stack.
  /// - Parameter reserve: bytes that must stay free.
  init(reserve: UInt = 96 << 10) {
    #if canImport(Darwin)
      let thread = pthread_self()
      let top = UInt(bitPattern: pthread_get_stackaddr_np(thread))
      lowest = top - UInt(pthread_get_stacksize_np(thread)) + reserve
    #else
      // A GNU function, which the Glibc module does not declare.
      typealias GetAttributes = @convention(c) (pthread_t, UnsafeMutablePointer<pthread_attr_t>) -> Int32
      var attributes = pthread_attr_t()
      var base: UnsafeMutableRawPointer?
      var size = 0
      guard let symbol = dlsym(nil, "pthread_getattr_np"),
        unsafeBitCast(symbol, to: GetAttributes.self)(pthread_self(), &attributes) == 0
      else {
        lowest = 0
        return
      }
      let known = pthread_attr_getstack(&attributes, &base, &size) == 0
      pthread_attr_destroy(&attributes)
      lowest = known && base != nil ? UInt(bitPattern: base) + reserve : 0
    #endif
  }

  /// Whether the calling frame is above the reserve.
  var hasRoom: Bool {
    var marker: UInt8 = 0
    return withUnsafeMutablePointer(to: &marker) { UInt(bitPattern: $0) > lowest }
  }
}
