# Plays the part of Homebrew: ruby formula.rb FORMULA macos|linux arm|intel PREFIX
# installs the unpacked archive, which is the current folder, runs the formula's test, and prints what it says as JSON.
require "fileutils"
require "json"
require "pathname"

FORMULA, SYSTEM, CPU, PREFIX = ARGV
FACTS = {}

class Pathname
  def install(*names)
    mkpath
    FileUtils.mv(names, self)
  end

  def write_env_script(target, env)
    parent.mkpath
    settings = env.map { |name, value| "#{name}=\"#{value}\"" }.join(" ")
    write("#!/bin/bash\n#{settings} exec \"#{target}\" \"$@\"\n")
    chmod(0o755)
  end
end

class Formula
  %i[desc homepage version license depends_on url sha256].each do |name|
    define_singleton_method(name) do |value|
      raise "#{name} is said twice" if FACTS.key?(name)

      FACTS[name] = value
    end
  end
  { on_macos: SYSTEM == "macos", on_linux: SYSTEM == "linux",
    on_arm: CPU == "arm", on_intel: CPU == "intel" }.each do |name, fits|
    define_singleton_method(name) { |&block| block.call if fits }
  end
  %w[bin libexec].each { |name| define_method(name) { Pathname(PREFIX) / name } }

  def self.test(&block)
    define_method(:examine, &block)
  end

  def version
    FACTS[:version]
  end

  def shell_output(command)
    `#{command}`
  end

  def assert_match(expected, actual)
    raise "#{expected} is not in: #{actual}" unless actual.include?(expected)
  end
end

load FORMULA
wasp = Wasp.new
wasp.install
wasp.examine
puts JSON.generate(FACTS)
