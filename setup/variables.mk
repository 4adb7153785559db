# Refuses variables on the command line that no goal takes: a typo would do something else in silence.
#
# The Makefile says by TAKES_goal what each goal takes. Beside that: PYTHON, make's own SHELL, and what
# reaches the lab as an environment variable (LAB_…, the engine's, everything of docker-compose.yml).
# A make within a make was typed by nobody, and is not checked.

ifeq ($(MAKELEVEL),0)

asked := $(or $(MAKECMDGOALS),$(.DEFAULT_GOAL))
given := $(foreach name,$(.VARIABLES),$(if $(filter command,$(origin $(name))),$(name)))
taken := $(sort $(foreach goal,$(asked),$(TAKES_$(goal))))
unknown := $(filter-out $(taken) PYTHON SHELL LAB_% DOCKER_% COMPOSE_%,$(given))

ifneq ($(filter ROWS,$(given))$(if $(filter compare live,$(asked)),$(ROWS)),)
$(error ROWS= is called SERVICES= now$(if $(filter SERVICES,$(taken)),: make $(asked) SERVICES="$(ROWS)",; make $(asked) takes $(or $(taken:%=%=),no variables)))
endif

ifneq ($(unknown),)
unknown := $(filter-out $(shell grep -oE '[A-Z][A-Z0-9_]+:-' docker-compose.yml | tr -d ':-'),$(unknown))
endif

ifneq ($(unknown),)
$(error $(firstword $(unknown))= is not known: make $(asked) takes $(or $(taken:%=%=),no variables))
endif

endif
