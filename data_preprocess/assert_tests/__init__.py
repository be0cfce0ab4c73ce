"""Tests that are programs of asserts, per language: from their source to cases, without running anything."""
