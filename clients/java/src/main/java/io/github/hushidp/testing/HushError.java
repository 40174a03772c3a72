package io.github.hushidp.testing;

/** The answer of the provider, or of its authorization endpoint, was an error. */
public final class HushError extends RuntimeException {
  private static final long serialVersionUID = 1;

  private final String error;
  private final int status;

  HushError(String message, String error, int status) {
    super(message);
    this.error = error;
    this.status = status;
  }

  /** The error code, such as login_required; empty if the answer has none. */
  public String error() {
    return error;
  }

  /** The HTTP status; 0 if the error came in a redirect. */
  public int status() {
    return status;
  }
}
