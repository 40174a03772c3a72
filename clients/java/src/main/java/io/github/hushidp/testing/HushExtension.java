package io.github.hushidp.testing;

import java.util.Map;
import org.junit.jupiter.api.extension.BeforeEachCallback;
import org.junit.jupiter.api.extension.ExtensionContext;
import org.junit.jupiter.api.extension.ExtensionContext.Namespace;
import org.junit.jupiter.api.extension.ParameterContext;
import org.junit.jupiter.api.extension.ParameterResolver;

/**
 * JUnit 5: {@code @ExtendWith(HushExtension.class)}. One provider serves the whole run, and is reset before each test. A
 * parameter of type Hush gets it.
 */
public final class HushExtension implements BeforeEachCallback, ParameterResolver {
  @Override
  public void beforeEach(ExtensionContext context) {
    provider(context).reset();
  }

  @Override
  public boolean supportsParameter(ParameterContext parameter, ExtensionContext context) {
    return parameter.getParameter().getType() == Hush.class;
  }

  @Override
  public Object resolveParameter(ParameterContext parameter, ExtensionContext context) {
    return provider(context);
  }

  /** JUnit closes the provider at the end of the run, because the store of the root context holds it (JUnit 5.13). */
  private static Hush provider(ExtensionContext context) {
    return context.getRoot().getStore(Namespace.create(HushExtension.class))
        .getOrComputeIfAbsent(Hush.class, key -> Hush.start(Map.of()), Hush.class);
  }
}
